"""Expectations of progress: recovery after outages, and no long idle time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..run.downtime import Downtime
from ..run.metrics import RunMetrics
from ..scenario.arguments import seconds
from ..scenario.result import Judgement, RehearsalRun


@dataclass(frozen=True)
class Recovers:
    """The run makes progress soon after each outage."""

    within: float

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the outages."""
        outages = RunMetrics.of(run).outages
        if not outages:
            return Judgement(str(self), "unknown", "there was no outage while the runbook ran")
        details = [_told(outage, run) for outage in outages]
        late = [
            text
            for each, text in zip(outages, details, strict=True)
            if (run.status != "completed" if each.recovery is None else each.recovery > self.within)
        ]
        evidence = "; ".join(late or details)
        return Judgement(str(self), "fail" if late else "pass", evidence, details)

    def is_final(self, run: RehearsalRun) -> bool:
        """Whether the judgement is final before the run has ended: a recovery was late."""
        return any((item.recovery or 0.0) > self.within for item in RunMetrics.of(run).outages)

    def __str__(self) -> str:
        return f"recovers within {self.within:g} s"


@dataclass(frozen=True)
class NeverIdle:
    """The run is never without progress for long."""

    limit: float

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the longest idle time."""
        metrics = RunMetrics.of(run)
        late = metrics.idle > self.limit
        evidence = f"the longest time without progress was {metrics.idle:.2f} s, from {metrics.idle_from:.3f} s on"
        return Judgement(str(self), "fail" if late else "pass", evidence)

    def is_final(self, run: RehearsalRun) -> bool:
        """Whether the judgement is final before the run has ended: it was idle for too long."""
        return RunMetrics.of(run).idle > self.limit

    def __str__(self) -> str:
        return f"never without progress for more than {self.limit:g} s"


def _told(outage: Downtime, run: RehearsalRun) -> str:
    if outage.recovery is None and run.status == "completed":
        return f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) was no longer needed: the runbook completed"
    if outage.back is None:
        return f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) did not come back"
    went_on = "the run made no progress" if outage.recovery is None else f"progress after {outage.recovery:.2f} s"
    return f"the {outage.lane} ({outage.ended} at {outage.began:.3f} s) was back at {outage.back:.3f} s, {went_on}"


def recovers(within: float | timedelta) -> Recovers:
    """An activity starts or a workflow task completes within this time after the end of each outage.

    Outages are those of server and worker, a cut network, a locked database, and a full disk. The time is that of the
    wall clock; other outages in between do not count, timers of the runbook do. A runbook that has completed need not
    make progress after its last outage. Unknown if there was no outage.

    Raises:
        ScenarioInvalid: The limit is invalid.
    """
    return Recovers(seconds(within, "recovers(within=...)"))


def never_idle_longer_than(limit: float | timedelta) -> NeverIdle:
    """The runbook makes progress at least this often, from its start to its end, outages included.

    Progress is an attempt of an activity that starts or completes, or a workflow task that completes; a running attempt
    and a pending timer are not. Pauses do not count. The time is that of the wall clock: with `time_skipping`, timers
    take none.

    Raises:
        ScenarioInvalid: The limit is invalid.
    """
    return NeverIdle(seconds(limit, "never_idle_longer_than"))
