"""Folders of files: each is where the code expects it, and only its owner writes it.

A folder lies below `SERVICE_FOLDERS` (one place for all services that share it), and the code finds
it through a link. Where something is mounted in its place, as in a container, that is left alone.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, Iterator, List, Tuple

from servicekit.settings import Settings, settings

_DATA = "{data}/"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.remove": 1,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.truncate": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
}
"""Audited events that change what their first arguments name."""


def places(own: Settings) -> Iterator[Tuple[str, str, Dict[str, Any]]]:
    """Of each folder where the code looks for it, where it is kept, and what the manifest says."""
    root = os.path.dirname(own.manifest_path)
    for path, folder in sorted(own.part("folders").items()):
        kept = os.path.join(own.folders, path)
        folder = dict(folder, path=path)
        if path.startswith(_DATA):
            yield os.path.join(own.files, path[len(_DATA) :]), kept, folder
        for place in folder.get("places", []):
            yield os.path.join(root, place), kept, folder


def prepare(own: Settings) -> None:
    """Make what is missing of the folders, and of the links to them."""
    for place, kept, _ in places(own):
        os.makedirs(kept, exist_ok=True)
        if os.path.islink(place) and os.path.realpath(place) != os.path.realpath(kept):
            os.remove(place)
        if not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(kept, place)


def install(violation: Callable[[str, str], BaseException]) -> None:
    """Refuse writes to the folders of siblings from now on, in this process.

    The owner may write, whether it is known to or not. An index is left to the tables that it is
    of: what opens one may have to make it.
    """
    own = settings()
    foreign = {
        os.path.join(where, ""): (folder["path"], folder["owner"])
        for place, kept, folder in places(own)
        for where in (place, os.path.realpath(kept))
        if not folder.get("writes")
        and folder["owner"] != own.name
        and folder.get("kind") != "index"
    }
    if not foreign:
        return

    def refuse(event: str, arguments: Tuple[Any, ...]) -> None:
        for path in _changed(event, arguments):
            asked = os.path.abspath(os.fsdecode(path))
            # The folder that is nearest decides: one of ours may lie in one of a sibling.
            within = [prefix for prefix in known if asked.startswith(prefix)]
            found = foreign.get(max(within, key=len)) if within else None
            if found is not None and not (event == "os.mkdir" and os.path.isdir(asked)):
                raise violation("folder %s" % found[0], found[1])

    known = set(foreign)
    for place, kept, _ in places(own):
        known.update({os.path.join(place, ""), os.path.join(os.path.realpath(kept), "")})
    sys.addaudithook(refuse)


def _changed(event: str, arguments: Tuple[Any, ...]) -> List[Any]:
    """The paths that an audited event is about to change."""
    if event == "open":
        path, _, flags = arguments
        return [path] if flags & _WRITES and isinstance(path, (str, bytes, os.PathLike)) else []
    paths = arguments[: _CHANGES.get(event, 0)]
    return [path for path in paths if isinstance(path, (str, bytes, os.PathLike))]
