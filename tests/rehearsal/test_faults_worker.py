"""Faults of the runbook's worker."""

from __future__ import annotations

from devserver.rehearsal import at, expect, faults
from tests.rehearsal.conftest import Hold, scene

TWO = at.activity_completes("step", nth=2)


def test_a_runbook_survives_its_worker(hold: Hold) -> None:
    """A worker that is killed is replaced, and a runbook that retries completes."""
    expected = [expect.completes(), expect.exactly_once("step", "one", "two", "three")]
    result = hold(scene("steps", "Sure", at.activity_starts("step", nth=2).do(faults.kill_worker()), expect=expected))
    assert result.verdict == "pass", result.reason
