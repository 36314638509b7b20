"""`devserver inspect`: the content of a module, for people and for scripts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, command
from tests.helpers.checkout import ROOT
from tests.helpers.user_code import Write, user_code

DESK = """
from datetime import datetime
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError
import nexusrpc
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

print("this is loud")

@dataclass
class Item:
    '''What is sold.

    Attributes:
        name: What is on the label: »für alle«.
    '''
    name: str
    price: float = 1.5
    parts: "list[Item] | None" = None

@workflow.defn(
    name="desk.order",
    versioning_behavior=VersioningBehavior.PINNED,
    failure_exception_types=[ApplicationError],
    sandboxed=False,
)
class Order:
    '''Sells one item.

    Nobody waits.
    '''
    @workflow.run
    async def run(self, item: Item, until: datetime | None = None) -> str: ...
    @workflow.signal
    def cancel(self, why: str) -> None:
        '''Stop it.

        Args:
            why: For the books.
        '''
    @workflow.query
    def count(self) -> int: ...
    @workflow.update
    def change(self, item: Item) -> Item: ...
    @change.validator
    def check(self, item: Item) -> None: ...

class Clerk:
    def __init__(self, name: str) -> None: ...
    @activity.defn
    def stamp(self, item: Item) -> None: ...

@activity.defn
async def sell(item: Item, times: int = 2) -> list[str]: ...

@nexusrpc.service
class Bank:
    pay: nexusrpc.Operation[int, str]

@service_handler(service=Bank)
class Handler:
    '''Pays.'''
    @sync_operation
    async def pay(self, ctx: StartOperationContext, input: int) -> str:
        '''Pay at once.'''
        return str(input)
"""
PAGE = """\
desk.py: task queue desk

workflow desk.order(item: Item, until: datetime | None = None) -> str
    Sells one item.
    Nobody waits.
    item.name   str  What is on the label: »für alle«.
    item.price  float = 1.5
    item.parts  list[Item] | None = None
    versioning: pinned
    fails with: ApplicationError
    runs outside of the sandbox
    signal cancel(why: str)
        Stop it.
        why  str  For the books.
    query count() -> int
    update change(item: Item) -> Item, validated
        name   str  What is on the label: »für alle«.
        price  float = 1.5
        parts  list[Item] | None = None

activity sell(item: Item, times: int = 2) -> list[str]
    item.name   str  What is on the label: »für alle«.
    item.price  float = 1.5
    item.parts  list[Item] | None = None

Nexus service Bank
    Pays.
    operation pay(int) -> str
        Pay at once.

note: Clerk ({file}:51) is left out because it needs name: write a function activities() that returns
the instances, or name one: MODULE:FUNCTION
"""


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a file of a user's project into the current folder."""
    with user_code(tmp_path) as run:
        yield run


def test_a_module_for_people(write: Write, devserver: Run) -> None:
    """Types, docs and fields are listed, with what is skipped; the module's own output is kept apart."""
    file = write("desk.py", DESK)
    done = devserver("inspect", "desk.py", env={"COLUMNS": "100"})
    assert (done.returncode, done.stderr) == (0, "this is loud\n")
    assert done.stdout.split() == PAGE.format(file=file).split()
    assert done.stdout.splitlines()[:25] == PAGE.splitlines()[:25]


def test_a_module_for_scripts(write: Write, devserver: Run) -> None:
    """The JSON form has a schema for every type, and a name narrows it to one definition."""
    write("desk.py", DESK)
    report = json.loads(devserver("inspect", "desk", "--json").stdout)
    assert list(report) == [
        "form",
        "module",
        "file",
        "task_queue",
        "data_converter",
        "plugins",
        "workflows",
        "activities",
        "nexus_services",
        "notes",
    ]
    (order,) = report["workflows"]
    assert (order["type"], order["class"], order["versioning"]) == ("desk.order", "Order", "pinned")
    item, until = order["parameters"]
    assert item["schema"] == {
        "type": "object",
        "title": "Item",
        "properties": {
            "name": {"type": "string", "description": "What is on the label: »für alle«."},
            "price": {"type": "number", "default": 1.5},
            "parts": {
                "anyOf": [{"type": "array", "items": {"type": "object", "title": "Item"}}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["name"],
    }
    assert (until["required"], until["default"], until["schema"]["anyOf"][0]["format"]) == (False, None, "date-time")
    assert ([update["validated"] for update in order["updates"]], order["result"]["type"]) == ([True], "str")
    assert report["nexus_services"][0]["operations"][0]["input"] == {"type": "int", "schema": {"type": "integer"}}
    assert report["activities"][0]["async"] is True
    only = json.loads(devserver("inspect", "desk:sell", "--json").stdout)
    assert ([activity["name"] for activity in only["activities"]], only["workflows"]) == (["sell"], [])


def test_narrow_and_ascii_terminals(write: Write) -> None:
    """The output fits into 40 columns of ASCII."""
    write("desk.py", DESK)
    environ = {**os.environ, "COLUMNS": "40", "PYTHONIOENCODING": "ascii"}
    old = subprocess.run(command("inspect", "desk.py"), env=environ, capture_output=True, timeout=180, check=False)
    text = old.stdout.decode("ascii")
    assert (old.returncode, "\\xbbf\\xfcr" in text) == (0, True)
    assert [line for line in text.splitlines() if len(line) > 40 and "desk.py:" not in line] == []


def test_a_module_that_cannot_be_described(write: Write, devserver: Run) -> None:
    """The error shows the frames of the user's code, then what to do."""
    write("broken.py", "import nowhere_at_all\n")
    done = devserver("inspect", "broken.py", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: cannot import the module broken: ModuleNotFoundError: No module named")
    assert [line.strip() for line in lines if "import" in line][1] == "import nowhere_at_all"
    assert lines[-1].startswith("hint: install nowhere_at_all for ")
    write("empty.py", "")
    assert "no workflow, activity or Nexus service found" in devserver("inspect", "empty.py").stdout


def test_the_json_form_is_documented(write: Write, devserver: Run) -> None:
    """docs/json.md documents every key."""
    write("desk.py", DESK)
    page = (ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(r"(?ms)^## `inspect --json`$(.*?)(?=^## )", page)
    keys = set(re.findall(r"`([a-z_]+)`", section))
    assert _keys(json.loads(devserver("inspect", "desk", "--json").stdout)) - keys == set()


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {
        key for name, member in value.items() if name not in ("schema", "default") for key in _keys(member)
    }
