"""The template of a first scenario, created from a runbook's module."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.cli.main import run
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.scenario.template import first_scenario

RUNBOOK = """
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from temporalio import activity, workflow


class Zone(Enum):
    NORTH = "north"


@dataclass
class Wish:
    zone: str
    nodes: list[str]
    size: int
    ratio: float
    note: str = ""
    tags: list[str] = field(default_factory=list)


@activity.defn
async def grow(node: str) -> None:
    pass


@workflow.defn
class Grow:
    @workflow.run
    async def run(self, wish: Wish, often: int, maybe: str | None, later: bool = False) -> int:
        for node in wish.nodes * often:
            await workflow.execute_activity(grow, node, start_to_close_timeout=timedelta(seconds=1))
        return len(wish.nodes)
"""


@pytest.fixture
def runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A module with a unique name, in the working folder."""
    name = f"runbook_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(RUNBOOK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.mark.server
def test_the_template_runs_unchanged(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its scenarios run without an edit, every fault happens, and the workflow's arguments are filled in."""
    assert run(["rehearse", "--init", runbook, "first.py"]) == 0
    assert capsys.readouterr().out == "wrote first.py; run it with: devserver rehearse first.py\n"
    text = Path("first.py").read_text()
    assert 'Wish(zone="...", nodes=["..."], size=1, ratio=1.0), 1, None, False]' in text
    assert run(["rehearse", "first.py", "--only", "the server dies"]) == 0, capsys.readouterr()
    assert "1 passed, 0 failed, 0 unknown" in capsys.readouterr().out
    assert run(["rehearse", "first.py", "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert "worker dies" in plan
    assert "an answer is lost" in plan


EFFECTS = """
from datetime import timedelta

from devserver.rehearsal import ledger
from temporalio import activity, workflow


@activity.defn
async def grow(node: str) -> None:
    ledger.effect("add node", key=node)


@activity.defn
async def shrink(node: str) -> None:
    ledger.effect("remove_node", key=node)


@workflow.defn
class Grow:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(grow, "a", start_to_close_timeout=timedelta(seconds=1))
"""


@pytest.mark.server
def test_effects_of_a_run_without_faults_are_expected_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The runbook runs once; only effects that it reports are written, and without a run none."""
    (tmp_path / "runbook_with_effects.py").write_text(EFFECTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run(["rehearse", "--init", "runbook_with_effects", "first.py"]) == 0
    assert "running the runbook once without faults" in capsys.readouterr().err
    text = Path("first.py").read_text()
    assert 'expect.exactly_once("add node"),' in text
    assert "remove_node" not in text
    assert run(["rehearse", "first.py", "--only", "the worker dies"]) == 0, capsys.readouterr()
    assert run(["rehearse", "--init", "runbook_with_effects", "second.py", "--no-run"]) == 0
    assert '# expect.exactly_once("name"),' in Path("second.py").read_text()


def test_existing_files_are_not_overwritten(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing file is unchanged; the default file name is that of the module."""
    assert run(["rehearse", "--init", runbook]) == 0
    Path(f"rehearsal_{runbook}.py").write_text("mine")
    assert run(["rehearse", "--init", runbook]) == 2
    assert "already exists" in capsys.readouterr().err
    assert Path(f"rehearsal_{runbook}.py").read_text() == "mine"


def test_arguments_to_fill_in(runbook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that cannot be guessed is `...`, and running the scenario names it."""
    module = Path(f"{runbook}.py")
    module.write_text(RUNBOOK.replace("often: int, maybe", "often: object, maybe"))
    assert "size=1, ratio=1.0), ..., None, False]" in first_scenario(runbook, Path("x.py"))
    assert run(["rehearse", "--init", runbook, "first.py"]) == 0
    assert run(["rehearse", "first.py"]) == 2
    assert "a placeholder among the arguments of its workflow: ..." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_that_name", "cannot import the runbook 'no_runbook_.*': ModuleNotFoundError"),
        ("x = 1", "has no workflow"),
    ],
)
def test_invalid_runbook(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that cannot be imported or has no workflow is an error with the cause."""
    name = f"no_runbook_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ScenarioInvalid, match=message):
        first_scenario(name, Path("x.py"))


def test_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a path the error says how to start."""
    assert run(["rehearse"]) == 2
    assert "--init MODULE writes a first scenario" in capsys.readouterr().err
