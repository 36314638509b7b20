"""Writes the JSON schemas in devserver/schemas: of settings files from the keys, of reports from `report_schemas`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # as a script it sees its own folder only

from devserver.config.settings_keys import KEYS, variable  # noqa: E402
from scripts.report_schemas import REPORTS  # noqa: E402

FOLDER = ROOT / "devserver" / "schemas"
DRAFT = "http://json-schema.org/draft-07/schema#"  # what editors of TOML know


def _settings() -> dict[str, Any]:
    properties = {
        key: {
            **setting.kind.schema,
            "description": f"{setting.text}. Default: {setting.default}. Variable: {variable(key)}",
        }
        for key, setting in KEYS.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema, by its name."""
    settings = _settings()
    tool = {"type": "object", "properties": {"devserver": {**settings, "title": "temporal-devserver"}}}
    found = {
        "settings": {"title": "temporal-devserver.toml", **settings},
        "pyproject": {
            "title": "pyproject.toml with [tool.devserver]",
            "type": "object",
            "properties": {"tool": tool},
        },
        **REPORTS,
    }
    return {name: {"$schema": DRAFT, **schema} for name, schema in found.items()}


def text_of(schema: dict[str, Any]) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files."""
    for path in FOLDER.glob("*.schema.json"):
        path.unlink()
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_text(text_of(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
