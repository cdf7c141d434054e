"""The shipped JSON Schema of plan.json. Regenerate it with ``python -m trajplan.exports.schema_file``."""

from __future__ import annotations

from pathlib import Path

from trajplan.exports.atomic import write_atomically
from trajplan.exports.plan_json import schema_text

SCHEMA_PATH = Path(__file__).with_name("schema") / "plan-1.json"

if __name__ == "__main__":
    write_atomically(SCHEMA_PATH, schema_text().encode())
