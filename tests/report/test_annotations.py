"""Findings as SARIF and as workflow commands land on the line."""

import json

import jsonschema

from migrator.model.errors import MigratorError, Place, PlanError
from migrator.model.plan import Finding
from migrator.plan.findings.kinds import LEFT_OUT, NEW_CROSSING
from migrator.report.annotations import ANNOTATION_FORMATS, of_error, of_findings

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId", "ruleIndex"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "physicalLocation": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["artifactLocation"],
                        "properties": {
                            "artifactLocation": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {"uri": {"type": "string", "pattern": r"^\S+$"}},
                            },
                            "region": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {"startLine": {"type": "integer", "minimum": 1}},
                            },
                        },
                    }
                },
            },
        },
    },
}
"""What SARIF 2.1.0 says of the parts of a result that we write."""

FOUND = [
    Finding(
        kind=NEW_CROSSING,
        subject="shop.mail.post",
        message="orders, 100% new: writes letters",
        at="shop dir/orders.py:12",
        hint="copy it",
    ),
    Finding(kind=LEFT_OUT, subject="command:seed", message="it makes the schema"),
]


def test_sarif_is_valid_and_lands_on_the_line() -> None:
    log = json.loads(ANNOTATION_FORMATS["sarif"](of_findings(FOUND, "apps/shop")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted([NEW_CROSSING, LEFT_OUT])
    for result in run["results"]:
        jsonschema.validate(result, RESULT)
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "apps/shop/shop%20dir/orders.py"
    assert place["region"] == {"startLine": 12}
    assert "locations" not in run["results"][1]


def test_a_fingerprint_does_not_know_the_line() -> None:
    moved = [Finding(kind=f.kind, subject=f.subject, message=f.message, at="a.py:9") for f in FOUND]
    lower = [
        Finding(kind=f.kind, subject=f.subject, message=f.message, at="a.py:10") for f in FOUND
    ]
    prints = []
    for found in (moved, lower, FOUND):
        log = json.loads(ANNOTATION_FORMATS["sarif"](of_findings(found)))
        prints.append([each["partialFingerprints"] for each in log["runs"][0]["results"]])
    assert prints[0] == prints[1] != prints[2]


def test_workflow_commands_are_escaped() -> None:
    first, second = ANNOTATION_FORMATS["github"](of_findings(FOUND)).splitlines()
    assert first == (
        "::error file=shop dir/orders.py,line=12,title=new-crossing::"
        "shop.mail.post: orders, 100%25 new: writes letters%0Anext: copy it"
    )
    assert second == "::notice title=left-out::command:seed: it makes the schema"


def test_every_problem_of_a_plan_is_an_annotation() -> None:
    place = Place("migrator.plan.yaml", 7)
    problems = [MigratorError("no table refnds", place=place, hint="refunds?")]
    annotations = of_error(PlanError([*problems, MigratorError("no service")], hint="mend it"))
    assert [(a.file, a.line, a.hint) for a in annotations] == [
        ("migrator.plan.yaml", 7, "refunds?"),
        ("", 0, "mend it"),
    ]
