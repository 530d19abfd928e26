"""The JSON Schema of the JSON report, made from its types.

`python -m migrator.report.schema > migrator/report/report.schema.json` writes the file that ships.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from migrator.report.content import VERSION, Content

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


def schema() -> str:
    """The schema as text; JSON Schema draft 2020-12."""
    made = msgspec.json.schema(Content)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = f"Report of migrator, version {VERSION}"
    made["$defs"]["Content"]["properties"]["version"] = {"const": VERSION}
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
