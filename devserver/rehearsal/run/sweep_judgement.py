"""The judgement of a sweep."""

from __future__ import annotations

from ..scenario.result import Judgement, RehearsalRun, Sweep, Verdict


def judgement_of(swept: Sweep) -> Judgement:
    """The judgement of the whole sweep."""
    name = f"survives a kill of the {swept.target} at each of {len(swept.points)} points"
    failed = [f"after event {point.event}, {point.what}: {point.verdict}: {point.reason}" for point in swept.failed]
    omitted = [
        f"not judged, because the run without faults does not meet it (a sweep ignores the plan): {item}"
        for item in swept.omitted
    ]
    if not swept.points:
        return Judgement(name, "unknown", _no_points(swept.plain), omitted)
    if swept.failed:
        verdict: Verdict = "fail" if any(point.verdict == "fail" for point in swept.failed) else "unknown"
        return Judgement(name, verdict, f"{len(failed)} points did not pass", [*failed, *omitted])
    if swept.omitted:
        return Judgement(name, "unknown", omitted[0], omitted)
    return Judgement(name, "pass", f"every point passes{_beyond(swept.plain)}")


def _beyond(plain: RehearsalRun) -> str:
    """Which parts of the run's other histories are not points."""
    others = {str(mark.detail["workflow_id"]) for mark in plain.marks if mark.lane == "activity"} - {plain.workflow_id}
    if not others and len(plain.histories) == 1:
        return ""
    return "; in child workflows and later runs, only activities are points"


def _no_points(plain: RehearsalRun) -> str:
    if plain.status == "running":
        return f"without faults {plain.failure}; a sweep ignores the plan: does the runbook wait for one of its steps?"
    if plain.histories:
        return "the run without faults meets no expectation (a sweep ignores the plan)"
    return "the run without faults has no history"
