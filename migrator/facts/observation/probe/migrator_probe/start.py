"""Begins to observe this process."""

from __future__ import annotations

import builtins
import os
import sys

from . import databases, files, frameworks, imports, journal, tally
from .rewriting import ENTER, LIVE, MARK


def begin(configuration: str) -> None:
    """Install everything. `configuration` is the project's root and the records' folder."""
    root, folder = configuration.rsplit(os.pathsep, 1)
    root = os.path.realpath(root)
    record = journal.Journal(folder, root)
    tally.connect(record)
    setattr(builtins, LIVE, tally.live)
    setattr(builtins, ENTER, tally.enter)
    setattr(builtins, MARK, tally.mark)
    finder = imports.Finder(root, {**frameworks.PATCHES, **databases.PATCHES})
    sys.meta_path.insert(0, finder)
    finder.patch_loaded()
    files.Files(root).install()
    record.stay()
