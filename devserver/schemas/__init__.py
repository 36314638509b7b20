"""JSON schemas of settings files and of what commands print as JSON, as files for editors and scripts."""

from __future__ import annotations

from pathlib import Path

SETTINGS = {
    "settings": "temporal-devserver.toml",
    "pyproject": "pyproject.toml with [tool.devserver]",
}


def schema_names() -> list[str]:
    """The names of all schemas, those of settings files first."""
    names = sorted(path.name.removesuffix(".schema.json") for path in Path(__file__).parent.glob("*.schema.json"))
    return [*SETTINGS, *(name for name in names if name not in SETTINGS)]


def schema_text(name: str) -> str:
    """The text of the schema with that name."""
    return Path(__file__).with_name(f"{name}.schema.json").read_text(encoding="utf-8")
