"""The example game days on a dev server, played by a person who follows the hints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.helpers.played import played
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_imports_and_payouts_can_be_solved(devserver: Run, tmp_path: Path) -> None:
    """`devserver stuck` shows both incidents, the last hint of the one is the command that helps, and the action of the
    other. Both run at the same time, under names of their own."""
    folders = [tmp_path / name for name in ("imports", "payouts")]
    for folder in folders:
        folder.mkdir()
    with (
        played(devserver, folders[0], "--seed", "1", scenario="imports") as imports,
        played(devserver, folders[1], "--seed", "1", "--name", "second", scenario="payouts") as payouts,
    ):
        imports.begin()
        payouts.begin()

        def is_stuck(name: str) -> bool:
            return devserver("stuck", "--name", name).returncode == 1

        eventually(lambda: is_stuck("second"))
        assert payouts.ask("noticed", "no payouts", "--name", "second")["early"] is False
        assert payouts.ask("cause", "a new build was deployed", "--name", "second")["right"] is True
        payouts.ask("act", "roll-back", "--name", "second")

        eventually(lambda: is_stuck("gameday"))
        workflow_id = imports.ask("status", "--name", "gameday")["workflow_id"]
        hint = [imports.ask("hint", "--name", "gameday")["hint"] for _ in range(3)][-1]
        words = shlex.split(hint.partition(": devserver ")[2].replace("-w ID", f"-w {workflow_id}"))
        assert words[:4] == ["temporal", "--", "workflow", "signal"]
        assert imports.ask("cause", "a bad record", "--name", "gameday")["right"] is True
        done = devserver(*words, env={"DEVSERVER_NAME": "gameday"})
        assert done.returncode == 0, done.stderr
        solved = [imports.debrief(), payouts.debrief()]
    for shape in solved:
        assert shape["gameday"]["ending"] == "recovered"
        assert shape["verdict"] == "pass", shape["results"][0]["reason"]
        assert shape["gameday"]["first_sign"] is not None
    assert "payouts --seed 1" in solved[1]["results"][0]["command"]
