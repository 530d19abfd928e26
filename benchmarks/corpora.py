"""Real applications from the package registry that others wrote: what benchmarks measure on.

    python benchmarks/corpora.py FOLDER [NAME ...]

downloads the wheels, without what they depend on, and unpacks what an analysis reads.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

WHEELS = {
    "flaskbb": "flaskbb==2.0.2",
    "django": "django==6.1.3",
    "pretix": "pretix==2026.8.0",
    "indico": "indico==3.2.9",
    "superset": "apache-superset==6.1.0",
    "homeassistant": "homeassistant==2025.4.4",
    "oscar": "django-oscar==4.2.1",
    "nautobot": "nautobot==3.2.7",
    "mayan": "mayan-edms==4.12.2",
    "keystone": "keystone==30.0.0",
    "weblate": "weblate==5.14.3",
    "wagtail": "wagtail==8.0.1",
    "allauth": "django-allauth==65.22.1",
    "machina": "django-machina==1.3.1",
    "octoprint": "octoprint==1.11.8",
    "ckan": "ckan==2.12.0",
    "geonode": "geonode==5.1.1",
    "kolibri": "kolibri==0.19.5",
    "mailman": "mailman==3.3.10",
    "buildbot": "buildbot==4.3.0",
}
_READ = (".py", ".pyi", ".sql", ".html", ".txt", ".jinja2", ".j2")


class Unreachable(Exception):
    """The package index does not answer, or has no such wheel; the message says which."""


def unpack(name: str, folder: Path) -> Path:
    """The folder with the sources of one application, downloaded at first use.

    Raises Unreachable.
    """
    target = folder / name
    if target.is_dir():
        return target
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary"]
    command += [":all:", "--ignore-requires-python", "--dest", str(wheels), WHEELS[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Unreachable(f"{WHEELS[name]}: {(reasons or ['pip failed'])[-1]}")
    distribution, _, version = WHEELS[name].partition("==")
    (wheel,) = (
        path
        for path in wheels.glob(f"*-{version}-*.whl")
        if path.name.lower().startswith(distribution.replace("-", "_"))
    )
    draft = folder / f"{name}.unpacking"
    with zipfile.ZipFile(wheel) as archive:
        members = [each for each in archive.namelist() if each.endswith(_READ)]
        archive.extractall(draft, [each for each in members if ".dist-info/" not in each])
    draft.rename(target)
    return target


if __name__ == "__main__":
    for each in sys.argv[2:] or WHEELS:
        print(unpack(each, Path(sys.argv[1])))
