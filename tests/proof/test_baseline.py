"""What the monolith says otherwise at another time is noise, also when the day changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from migrator.facts.settings import load_run
from migrator.model.progress import Silent
from migrator.proof.asked import Asked
from migrator.proof.baseline import record_monolith, with_noise_of_now
from migrator.proof.recording import RecordingProxy
from migrator.proof.traffic import OwnTests

GALLERY = Path(__file__).parents[1] / "assets" / "gallery"
TODAY = """

@app.get("/today")
def today():
    day = open(os.environ["CALENDAR"]).read()
    return {"day": day, "weather": "fine"}
"""
TEST = """

def test_today():
    assert "day" in json.loads(ask("GET", "/today")[1])
"""


@pytest.mark.slow
def test_a_proof_across_midnight(tmp_path: Path) -> None:
    root, calendar = tmp_path / "gallery", tmp_path / "calendar"
    shutil.copytree(GALLERY, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    for file, more in (("gallery/web.py", TODAY), ("tests/test_gallery.py", TEST)):
        text = (root / file).read_text()
        (root / file).write_text(text.replace("from flask", "import os\n\nfrom flask", 1) + more)
    calendar.write_text("2026-11-27")
    run = msgspec.structs.replace(load_run(root), environment={"CALENDAR": str(calendar)})
    with RecordingProxy() as proxy:
        given = (run, tmp_path / "proof", proxy, OwnTests(), Silent())
        baseline = record_monolith(root, *given)
        calendar.write_text("2026-11-28")
        later = [
            msgspec.structs.replace(each, body=each.body.replace(b"11-27", b"11-28"))
            for each in baseline.recording.exchanges
        ]
        asked = Asked(
            processes=1,
            recording=replace(baseline.recording, exchanges=later),
            url=proxy.url,
            tables=baseline.tables,
            owners={},
            deferred=set(),
            folders={},
            replicas=0,
            replica_differences=[],
            trespasses=[],
            seconds=0.0,
        )
        (difference,) = asked.compared(baseline).differences
        assert (difference.monolith, difference.services) == ('"2026-11-27"', '"2026-11-28"')
        now = with_noise_of_now(baseline, *given)
    assert not asked.compared(now).differences
    assert {each.field for each in now.noise - baseline.noise} == {"body.day"}
