"""SARIF 2.1.0: the OASIS Static Analysis Results Interchange Format, one run a log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from migrator import __version__
from migrator.report.annotation import Annotation

SUFFIX = ".sarif"
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(annotations: Sequence[Annotation]) -> str:
    """One log with one run; the rules are those that the annotations name."""
    rules = {each.rule: each for each in reversed(annotations)}
    order = sorted(rules)
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "migrator",
                        "version": __version__,
                        "rules": [_rule(rules[name]) for name in order],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, order.index(each.rule)) for each in annotations],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(example: Annotation) -> dict[str, Any]:
    return {
        "id": example.rule,
        "shortDescription": {"text": example.title},
        "defaultConfiguration": {"level": example.level},
    }


def _result(each: Annotation, rule: int) -> dict[str, Any]:
    text = f"{each.message}. Next: {each.hint}" if each.hint else each.message
    result: dict[str, Any] = {
        "ruleId": each.rule,
        "ruleIndex": rule,
        "level": each.level,
        "message": {"text": text},
        "partialFingerprints": {"migrator/v1": _fingerprint(each)},
    }
    if each.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(each.file)}}
        if each.line:
            place["region"] = {"startLine": each.line}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _fingerprint(each: Annotation) -> str:
    """The same for the same finding after lines have moved."""
    content = "\0".join((each.rule, each.file, each.message))
    return hashlib.sha256(content.encode()).hexdigest()[:32]
