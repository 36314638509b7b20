"""Scenarios in several folders whose modules have the same names."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.rehearsal import scenarios_in

from ..conftest import Rehearse

RUNBOOK = """
from temporalio import workflow
from words import WORD

@workflow.defn
class Tell:
    @workflow.run
    async def run(self) -> str:
        for _ in range(TIMES):
            await workflow.sleep(0.01)
        return WORD
"""
SCENE = """
from book import Tell
from devserver.rehearsal import Scenario, expect

def is_here() -> bool:
    from words import WORD
    return WORD == NAME

scene = Scenario(
    name=NAME, runbook="book", workflow=Tell, steady_state=[is_here], expect=[expect.completes(), expect.replays()]
)
"""


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders with a runbook, a helper and a scenario of the same names; the runbooks differ."""
    found = []
    for times, name in enumerate(("one", "two"), start=1):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "words.py").write_text(f"WORD = {name!r}\n")
        (folder / "book.py").write_text(RUNBOOK.replace("TIMES", str(times)))
        (folder / "scene.py").write_text(SCENE.replace("NAME", repr(name)))
        found.append(folder)
    return found


def test_every_folder_has_its_own_modules(rehearse: Rehearse, folders: list[Path]) -> None:
    """A scenario is run, judged and replayed with the runbook of its folder, in any order."""
    one, two = scenarios_in(folders)
    for scenario in (one, two, one):
        result = rehearse(scenario)
        assert result.verdict == "pass", (scenario.name, result.reason)
        assert result.run is not None
        assert result.run.output == scenario.name
