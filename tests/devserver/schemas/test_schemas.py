"""The JSON schemas: current, valid, and right about settings files. Real reports are checked where tests make them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from devserver.config.settings import Settings
from devserver.config.toml_text import loads
from devserver.errors import ConfigFileError
from devserver.schemas import SETTINGS, schema_names, schema_text
from scripts.schemas import ROOT, schemas, text_of
from tests.conftest import Run
from tests.helpers.json_schemas import NAMES, OTHER_DOCUMENTS

EXAMPLE = ROOT / "examples" / "settings" / "temporal-devserver.toml"


def test_the_files_are_current() -> None:
    """After a change of a key, `scripts/schemas.py` writes the schemas again."""
    assert {name: schema_text(name) for name in schema_names()} == {
        name: text_of(schema) for name, schema in schemas().items()
    }


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_schema_is_valid(name: str) -> None:
    """Editors and scripts can read it."""
    Draft7Validator.check_schema(json.loads(schema_text(name)))


def test_the_docs_list_every_schema() -> None:
    """The page on JSON names them all, and no other."""
    text = (ROOT / "docs" / "json.md").read_text()
    section = text.partition("\n## Schemas\n")[2].partition("\n## ")[0]
    listed = {word for word in section.replace("`", " ").replace(",", " ").split() if word in schemas()}
    assert listed == set(schemas())


def test_commands_have_schemas_that_exist() -> None:
    """The names by which tests find the schema of a command are right."""
    known = {*schema_names(), None}
    assert {*NAMES.values(), *OTHER_DOCUMENTS.values()} - known == set()


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE.read_text(),
        'version = "1.9.1"\nport = 0\noffline = true\n',
        'schedules.a = { type = "W", task-queue = "q", interval = ["30m", "1h/5m"], paused = true }\n',
        "port = 70000\n",
        'port = "7300"\n',
        'tuning = "slow"\n',
        "offline = 1\n",
        'namespaces = "shop"\n',
        'search-attributes = { Customer = "keyword" }\n',
        "prot = 7300\n",
        'schedules.a = { type = "W" }\n',
        'schedules.a = { type = "W", task-queue = "q", every = "1h" }\n',
        'nexus-endpoints.a = "q"\n',
        "sqlite-pragmas = { cache_size = true }\n",
    ],
    ids=range(14),
)
def test_the_schema_and_devserver_agree(tmp_path: Path, text: str) -> None:
    """What an editor accepts in either file, devserver accepts, and the other way round."""
    content = loads(text)
    own, pyproject = (
        list(_problems(name, document))
        for name, document in (("settings", content), ("pyproject", {"tool": {"devserver": content}}))
    )
    (tmp_path / "temporal-devserver.toml").write_text(text)
    try:
        Settings.load(tmp_path, {}, trust_file=True)
    except ConfigFileError:
        assert own
        assert pyproject
    else:
        assert own == pyproject == []


def _problems(name: str, document: Any) -> list[str]:
    return [error.message for error in Draft7Validator(json.loads(schema_text(name))).iter_errors(document)]


def test_config_schema_prints_them(devserver: Run) -> None:
    """By default that of temporal-devserver.toml; an unknown name is an error that lists the names."""
    assert devserver("config", "schema").stdout == schema_text("settings")
    assert devserver("config", "schema", "rehearsal-report").stdout == schema_text("rehearsal-report")
    assert devserver("config", "schema", "--list").stdout.split() == schema_names()
    assert json.loads(devserver("config", "schema", "--list", "--json").stdout)["schemas"] == schema_names()
    done = devserver("config", "schema", "reprot")
    assert done.returncode == 2
    assert "rehearsal-report" in done.stderr


def test_every_key_of_a_report_is_in_the_docs() -> None:
    """The page on JSON says what each key in a schema of a report means."""
    text = (ROOT / "docs" / "json.md").read_text()
    words = set(re.findall(r"[a-z0-9_]+", text))
    keys = {key for name, schema in schemas().items() if name not in SETTINGS for key in _keys(schema)}
    assert keys - words == set()


def _keys(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", ())
    items = [schema["items"]] if schema.get("items") else []
    for below in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *items):
        yield from _keys(below)
