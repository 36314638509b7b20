"""Expectations of how soon a run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..faults._numbers import seconds
from ..run.downtime import Downtime
from ..run.metrics import RunMetrics
from ..scenario.result import Judgement, RehearsalRun


@dataclass(frozen=True)
class Recovers:
    """After each outage it goes on soon."""

    within: float

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the outages."""
        outages = RunMetrics.of(run).outages
        if not outages:
            return Judgement(str(self), "unknown", "nothing was down, cut or locked while the runbook ran")
        details = [_told(each, run) for each in outages]
        late = [
            text
            for each, text in zip(outages, details, strict=True)
            if (run.status != "completed" if each.recovery is None else each.recovery > self.within)
        ]
        evidence = "; ".join(late or details)
        return Judgement(str(self), "fail" if late else "pass", evidence, details)

    def __str__(self) -> str:
        return f"recovers within {self.within:g} s"


@dataclass(frozen=True)
class NeverIdle:
    """It is never without progress for long."""

    limit: float

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the longest time without."""
        metrics = RunMetrics.of(run)
        late = metrics.idle > self.limit
        evidence = f"the longest time without progress was {metrics.idle:.2f} s, from {metrics.idle_from:.3f} s on"
        return Judgement(str(self), "fail" if late else "pass", evidence)

    def __str__(self) -> str:
        return f"never without progress for more than {self.limit:g} s"


def _told(outage: Downtime, run: RehearsalRun) -> str:
    if outage.recovery is None and run.status == "completed":
        return (
            f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) was not needed any more: the runbook completed"
        )
    if outage.back is None:
        return f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) did not come back"
    went_on = "nothing went on" if outage.recovery is None else f"the run went on after {outage.recovery:.2f} s"
    return f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) was back at {outage.back:.3f} s, {went_on}"


def recovers(within: float | timedelta) -> Recovers:
    """After each outage, an activity starts or a workflow task completes soon after its end.

    Outages are those of server and worker, a network that was cut, a database that was locked, and a full disk.
    The time is of the wall clock; another outage in between does not count, a timer that the runbook
    waits for does. A runbook that completes has not to go on after its last outage. Unknown where there was no outage.

    Raises:
        ScenarioInvalid: The limit is negative, or no time.
    """
    return Recovers(seconds(within, "recovers(within=...)"))


def never_idle_longer_than(limit: float | timedelta) -> NeverIdle:
    """There is progress at least that often, from the runbook's start to its end, outages included.

    Progress is an attempt of an activity that starts or completes, or a workflow task that completes: an attempt that
    runs on and a timer that has not fired are none. While the workflow is paused the time does not count. It is the
    wall clock's: with `time_skipping`, timers take none.

    Raises:
        ScenarioInvalid: The limit is negative, or no time.
    """
    return NeverIdle(seconds(limit, "never_idle_longer_than"))
