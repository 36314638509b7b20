"""Results of rehearsals: frozen records, for the report and for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ..ledger import Effect
from ..patient.record import PatientRecord
from .timeline import Mark

if TYPE_CHECKING:
    from temporalio.client import WorkflowHistory
    from temporalio.converter import DataConverter

Verdict = Literal["pass", "fail", "unknown"]
Target = Literal["server", "worker"]
NOTHING_EXPECTED = "the scenario expects nothing, so a run proves nothing: add for example expect=[expect.completes()]"


@dataclass(frozen=True)
class Judgement:
    """The verdict on one expectation, drill or check, with the evidence in one line and in several."""

    name: str
    verdict: Verdict
    evidence: str
    details: Sequence[str] = ()


@dataclass(frozen=True)
class StepResult:
    """What became of a step of the plan: `at` is when it was done (seconds), None if its moment never came.

    `problem` says why it could not be done as planned.
    """

    step: str
    at: float | None
    trigger: str | None
    problem: str | None = None


@dataclass(frozen=True)
class RehearsalRun:
    """One complete run of a runbook. Times are seconds since the run's start (`began`).

    `status` is that of the workflow's last run, in Temporal's words (`completed`, `failed`, ... or `running` where the
    limit passed), or `lost` if the server no longer knows it. `output` is its result as plain JSON data; `failure` says
    why it failed. `history` is that of its last run, `histories` those of all runs that it continued as. `baseline` is
    the same run without faults, if there was one. `patient` is what happened to the scenario's cluster. `seen_until` is
    set while it runs: until when this record knows it.
    """

    workflow_id: str
    began: datetime
    started: float
    ended: float | None
    status: str
    output: Any
    failure: str | None
    histories: Sequence[WorkflowHistory] = field(repr=False)
    marks: Sequence[Mark] = field(repr=False)
    effects: Sequence[Effect] = field(repr=False)
    steps: Sequence[StepResult] = ()
    judgements: Sequence[Judgement] = ()
    server_log: Sequence[str] = field(default=(), repr=False)
    worker_log: Sequence[str] = field(default=(), repr=False)
    stuck: Sequence[str] = ()
    workflows: Sequence[type] = field(default=(), repr=False)
    data_converter: DataConverter | None = field(default=None, repr=False)
    patient: PatientRecord | None = field(default=None, repr=False)
    baseline: RehearsalRun | None = field(default=None, repr=False)
    seen_until: float | None = None

    @property
    def history(self) -> WorkflowHistory | None:
        """The history of the last run; None if the server has lost it."""
        return self.histories[-1] if self.histories else None

    @property
    def seconds(self) -> float | None:
        """How long it took; None if it did not end."""
        return None if self.ended is None else self.ended - self.started


@dataclass(frozen=True)
class PointResult:
    """The result of a kill right after an event of the baseline, or at `what`.

    `last` is the last event in the history at the kill; None if unknown. `run` holds the evidence if the verdict is not
    `pass`.
    """

    event: int
    what: str
    verdict: Verdict
    reason: str
    last: int | None
    seconds: float
    run: RehearsalRun | None = None


@dataclass(frozen=True)
class Sweep:
    """A whole sweep. `plain` is the run without faults; `omitted` names expectations that it does not meet itself."""

    target: Target
    plain: RehearsalRun
    points: Sequence[PointResult]
    omitted: Sequence[str]

    @property
    def failed(self) -> list[PointResult]:
        """The points that did not pass."""
        return [point for point in self.points if point.verdict != "pass"]


@dataclass(frozen=True)
class Result:
    """A rehearsal's result: its verdict, and all the evidence.

    The verdict is `unknown`, never `pass`, if something planned did not happen. `run` is None if nothing ran, and in a
    sweep, which has many runs.
    """

    name: str
    verdict: Verdict
    reason: str
    judgements: Sequence[Judgement]
    run: RehearsalRun | None
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    sweep: Sweep | None = None


def verdict_of(judgements: Sequence[Judgement], steps: Sequence[StepResult]) -> tuple[Verdict, str]:
    """The verdict on the rehearsal, and the reason for it in one line."""
    failed = [judgement for judgement in judgements if judgement.verdict == "fail"]
    if failed:
        return "fail", "; ".join(f"{item.name}: {item.evidence}" for item in failed)
    missed = [
        f"{step.step}: {step.problem or 'its moment never came'}" for step in steps if step.at is None or step.problem
    ]
    unknown = [f"{judgement.name}: {judgement.evidence}" for judgement in judgements if judgement.verdict == "unknown"]
    if missed or unknown:
        return "unknown", "; ".join([*missed, *unknown])
    if not judgements:
        return "unknown", NOTHING_EXPECTED
    return "pass", f"{len(judgements)} expectations met, {len(steps)} planned steps done"
