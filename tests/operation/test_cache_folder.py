"""Where the running monolith's Flask-Caching keeps what it remembers, on a stand-in of it."""

import os
import subprocess
import sys
from pathlib import Path

from migrator.operation.start_state import lead_to_instance

EXTENSION = """
class Cache:
    def init_app(self, app, config):
        self._set_cache(app, config)
    def _set_cache(self, app, config):
        print(config["CACHE_TYPE"], config.get("CACHE_DIR"))
"""

APPLICATION = """
import site, sys
sys.path.insert(0, sys.argv[1])
site.addsitedir(sys.argv[1])
from flask_caching import Cache
for kind in ("filesystem", "flask_caching.backends.FileSystemCache", "simple", "redis"):
    Cache().init_app(None, {"CACHE_TYPE": kind, "CACHE_DIR": "/shop/.data/store"})
"""


def stores(folder: Path, **variables: str) -> list[str]:
    packages = folder / "lib" / "python3" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "flask_caching.py").write_text(EXTENSION)
    lead_to_instance(folder)
    done = subprocess.run(
        [sys.executable, "-c", APPLICATION, str(packages)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split()[1] for line in done.stdout.splitlines()]


def test_a_store_on_disk_lies_in_the_running_instance(tmp_path: Path) -> None:
    own = f"{tmp_path}/run/store"
    assert stores(tmp_path, CACHE_FOLDER=f"{tmp_path}/run") == [
        own,
        own,
        *["/shop/.data/store"] * 2,
    ]


def test_nothing_is_led_elsewhere_unasked(tmp_path: Path) -> None:
    assert set(stores(tmp_path)) == {"/shop/.data/store"}
