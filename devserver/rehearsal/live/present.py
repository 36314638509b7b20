"""A run that has not ended, as plain data: that of the report, with the expectations as they look now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..report.run_data import run_data
from ..report.text import clean
from ..scenario.result import RehearsalRun
from ..scenario.scenario import Expectation

LAST_LINES = 12
LATER = "judged at the end"


def present_data(run: RehearsalRun, expect: Sequence[Expectation]) -> dict[str, Any]:
    """What `run_data` makes of it, with `verdict` (None), `expectations` and the `tails` of its logs.

    An expectation has `name`, `state` (`fail` if the run can no longer meet it, `pass` if it meets it so far, else
    `open`) and `evidence`.
    """
    tails = {"worker": run.worker_log, "server": run.server_log}
    return {
        **run_data(run),
        "verdict": None,
        "expectations": [_expectation(item, run) for item in expect],
        "tails": {name: [clean(line) for line in lines[-LAST_LINES:]] for name, lines in tails.items()},
    }


def _expectation(expectation: Expectation, run: RehearsalRun) -> dict[str, str]:
    shown = {"name": clean(expectation), "state": "open", "evidence": LATER}
    is_final = getattr(expectation, "is_final", None)
    if is_final is None:
        return shown
    try:
        judgement, final = expectation.judge(run), is_final(run)
    except Exception:  # noqa: BLE001 - it is judged again when the run has ended, and says so then
        return shown
    evidence = clean(judgement.evidence)
    if judgement.verdict == "fail" and final:
        return {**shown, "state": "fail", "evidence": evidence}
    if judgement.verdict == "pass":
        return {**shown, "state": "pass", "evidence": f"so far: {evidence}"}
    return {**shown, "evidence": f"not yet: {evidence}"}
