"""The soak itself, with two rounds of two kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.executables.models import Executable
from soak.__main__ import Soak, report
from soak.kinds.servers import ServerKilled
from soak.kinds.snapshots import SaveKilled
from soak.load import Loop
from soak.rounds import Round, Workshop
from soak.state import State
from tests.conftest import QUICK

SEED = 3


class Forgetful(ServerKilled):
    """A server that loses a signal: one that was never sent counts as acknowledged."""

    name = "server"

    def begin(self, round: Round) -> str:
        """Acknowledge too much."""
        workflow_id = super().begin(round)
        self.load.acknowledged[workflow_id].add("word-never")
        return workflow_id


@pytest.mark.timeout(600)
def test_a_soak_counts_kills_and_finds_what_is_lost(
    prepared: Executable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kind without findings has its kills; a lost signal makes the soak fail and keeps its evidence; a second start
    goes on where the first one ended."""
    state = State.load(tmp_path / "state.json", SEED)
    loop = Loop()
    workshop = Workshop(tmp_path, prepared, QUICK.get(prepared.path), loop)
    Soak(state, tmp_path, rounds=2, seconds=300).run([Forgetful, SaveKilled], workshop, lanes=2)
    saved, lost = state.tally("snapshot-save"), state.tally("server")
    assert (saved.kills, saved.findings) == (2, [])
    assert saved.acknowledged > 0
    assert {finding.column for finding in lost.findings} == {"lost"}
    assert all("word-never" in finding.text for finding in lost.findings)
    assert (Path(lost.findings[0].folder) / "home").is_dir()
    assert list((tmp_path / "homes").iterdir()) == []

    again = State.load(tmp_path / "state.json", None)
    assert (again.seed, again.tallies) == (SEED, state.tallies)
    Soak(again, tmp_path, rounds=2, seconds=300).run([SaveKilled], workshop, lanes=1)
    assert again.tallies == state.tallies
    loop.close()

    capsys.readouterr()
    assert report(again, "1.9.1", 60) == 1
    printed = capsys.readouterr().out
    assert "| `snapshot save` | 2 " in printed
    assert "word-never" in printed
