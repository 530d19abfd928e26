"""What the monolith says otherwise at another time is noise, also when the day changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from migrator.facts.settings import load_run
from migrator.model.progress import Silent
from migrator.model.settings import Run
from migrator.operation.start_state import StartState
from migrator.proof import baseline as module
from migrator.proof.asked import Asked
from migrator.proof.baseline import Baseline, Monolith
from migrator.proof.recording import RecordingProxy
from migrator.proof.result import TestRun
from migrator.proof.traffic import OwnTests, Recording

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
        monolith = Monolith(root, run, tmp_path / "proof", proxy, OwnTests(), Silent())
        baseline = monolith.record()
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
        now = monolith.again(baseline)
    assert not asked.compared(now).differences
    assert {each.field for each in now.noise - baseline.noise} == {"body.day"}


MONDAY, TUESDAY = (date(2026, 11, 30),), (date(2026, 12, 1),)


def test_what_is_found_wrong_over_midnight_is_looked_for_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By what the monolith says on the new day, and only then."""
    days = [MONDAY]
    monkeypatch.setattr(module, "today", lambda: days[-1])
    monkeypatch.setattr(Monolith, "again", lambda _, before: replace(before, day=days[-1]))
    with RecordingProxy() as proxy:
        monolith = Monolith(tmp_path, Run(application="x:y"), tmp_path, proxy, OwnTests(), Silent())
    looked = []

    def find(now: Baseline) -> list[str]:
        looked.append(now.day)
        days.append(TUESDAY)
        return ["a date"] if now.day == MONDAY else []

    begun = Baseline(
        root=tmp_path,
        start_state=StartState(tmp_path),
        recording=Recording(exchanges=[], tests=TestRun()),
        tables={},
        noise=set(),
        column_noise=set(),
        files=(),
        day=MONDAY,
    )
    assert monolith.on_one_day(find, begun) == ([], replace(begun, day=TUESDAY))
    assert looked == [MONDAY, TUESDAY]
    assert monolith.on_one_day(lambda now: [str(now.day)], begun)[0] == [str(TUESDAY)]
    assert monolith.on_one_day(lambda _: [], replace(begun, day=TUESDAY))[1].day == TUESDAY
