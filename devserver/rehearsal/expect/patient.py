"""Expectations of the patient: `expect.patient.nothing_lost()` and its kin judge its workload and its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import ScenarioInvalid
from ..patient.record import LoadCall, PatientRecord
from ..scenario.arguments import seconds
from ..scenario.result import Judgement, RehearsalRun, Verdict

MOST_SHOWN = 20
NO_PATIENT = "the scenario has no patient, or its run did not end"
NO_LOAD = "the patient had no workload"

Judge = Callable[[PatientRecord], tuple[Verdict, str, Sequence[str]]]


@dataclass(frozen=True)
class PatientExpectation:
    """Something that must be true of the patient."""

    name: str
    judge_record: Judge
    needs_load: bool = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the evidence of the patient; unknown without one."""
        record = run.patient
        if record is None:
            return Judgement(self.name, "unknown", NO_PATIENT)
        if self.needs_load and not record.calls:
            return Judgement(self.name, "unknown", NO_LOAD)
        verdict, evidence, details = self.judge_record(record)
        return Judgement(self.name, verdict, evidence, details[:MOST_SHOWN])

    def __str__(self) -> str:
        return self.name


def nothing_lost() -> PatientExpectation:
    """Everything that the patient acknowledged is there: workflows and their timers have completed, with their signals
    and updates, and schedules have acted.
    """

    def judge(record: PatientRecord) -> tuple[Verdict, str, Sequence[str]]:
        acknowledged = record.acknowledged
        schedules = [call for call in record.schedules if call.acknowledged is not None]
        lost = [call for call in (*acknowledged, *schedules) if call.result != "complete"]
        details = [f"{call.workflow_id}, acknowledged at {call.acknowledged:.3f} s: {call.result}" for call in lost]
        if not acknowledged:
            return "unknown", "no start was acknowledged", ()
        if lost:
            of = len(acknowledged) + len(schedules)
            what = "workflows and schedules" if schedules else "workflows"
            evidence = f"{len(lost)} of {of} acknowledged {what} are lost or do not complete"
            return "fail", evidence, details
        parts = {
            "signals": sum(call.signaled for call in acknowledged),
            "updates": sum(call.updated for call in acknowledged),
        }
        with_them = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        acted = f"; {len(schedules)} schedules have acted" if schedules else ""
        evidence = f"all of {len(acknowledged)} acknowledged workflows have completed"
        return "pass", f"{evidence}{f', with {with_them}' if with_them else ''}{acted}", ()

    return PatientExpectation("the patient loses nothing that it has acknowledged", judge)


def available(share: float, within: float | timedelta = 2.0) -> PatientExpectation:
    """At least this share of starts is acknowledged within this time (seconds), outages included.

    Raises:
        ScenarioInvalid: The share is not between 0 and 1, or the time is invalid.
    """
    limit = seconds(within, "patient.available(within=...)")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise ScenarioInvalid(f"patient.available takes a share above 0 and up to 1, not {share!r}")

    def judge(record: PatientRecord) -> tuple[Verdict, str, Sequence[str]]:
        good = [call for call in record.acknowledged if (call.acknowledged or 0.0) - call.at <= limit]
        found = len(good) / len(record.calls)
        errors = Counter(call.error for call in record.calls if call.error)
        details = [f"{count} x {error}" for error, count in errors.most_common()]
        evidence = f"{found:.1%} of {len(record.calls)} starts were acknowledged within {limit:g} s"
        return ("pass" if found >= share else "fail"), evidence, details

    return PatientExpectation(f"the patient acknowledges {share:.1%} of starts within {limit:g} s", judge)


def outage_shorter_than(limit: float | timedelta) -> PatientExpectation:
    """The longest time without an acknowledged start is shorter than this."""
    return _gap(
        "the patient acknowledges a start at least every {limit:g} s",
        "acknowledged a start",
        seconds(limit, "patient.outage_shorter_than"),
        lambda call: call.acknowledged,
    )


def runs_again(within: float | timedelta) -> PatientExpectation:
    """The longest time in which no workflow of the workload makes progress is shorter than this.

    A dead matching role acknowledges every start, and runs nothing.
    """
    return _gap(
        "the patient runs a workflow at least every {limit:g} s",
        "ran a workflow",
        seconds(within, "patient.runs_again(within=...)"),
        lambda call: call.completed,
    )


def healthy() -> PatientExpectation:
    """At the end every member of the patient runs, and a new workflow runs within 30 seconds (on Cassandra, forty)."""

    def judge(record: PatientRecord) -> tuple[Verdict, str, Sequence[str]]:
        if record.problem is not None:
            return "fail", record.problem, ()
        if not record.starts:  # somebody else runs it
            return "pass", "a new workflow runs" if record.calls else "its frontend answers", ()
        return "pass", "every member runs" + (", and so does a new workflow" if record.calls else ""), ()

    return PatientExpectation("the patient is healthy at the end", judge, needs_load=False)


def _gap(name: str, did: str, limit: float, moment: Callable[[LoadCall], float | None]) -> PatientExpectation:
    def judge(record: PatientRecord) -> tuple[Verdict, str, Sequence[str]]:
        moments = [at for call in record.calls if (at := moment(call)) is not None]
        length, begin = record.longest_gap(moments)
        evidence = f"for {length:.1f} s it never {did}, from {begin:.3f} s on"
        return ("pass" if length < limit else "fail"), evidence, ()

    return PatientExpectation(name.format(limit=limit), judge)
