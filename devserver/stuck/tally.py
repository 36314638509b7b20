"""Adds up what was found in all workflows, in memory that does not grow with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from ..client.calls import ServiceCalls
from .findings import Finding, Kind, StuckReport, ranked
from .inspection import EVENTS, Diagnosis, Suspect
from .task_queues import QueueNeeds, task_queue_findings

MAX_OF_KIND = 2000
FIRST = 10


class Tally:
    """The problems so far.

    Attributes:
        looked_at: The number of workflows that were looked at.
        examined: Those of them that were open.
        found: The number of problems in them, before the task queues are looked at.
        first: The first of these.
    """

    def __init__(self, now: datetime) -> None:
        self.looked_at = self.examined = self.found = 0
        self.first: list[Finding] = []
        self._now = now
        self._suspects: list[Suspect] = []
        self._kinds: Counter[Kind] = Counter()
        self._needs = QueueNeeds()
        self._unseen = self._unread = 0

    def add(self, diagnosis: Diagnosis) -> None:
        """Add what was found in one workflow."""
        self.looked_at += 1
        self.examined += diagnosis.open
        self._unseen += diagnosis.unseen
        self._unread += diagnosis.unread
        self._needs.add(diagnosis.needs)
        for suspect in diagnosis.suspects:
            kind = suspect.finding.kind
            self._kinds[kind] += 1
            self.found += 1
            if len(self.first) < FIRST:
                self.first.append(suspect.finding)
            if self._kinds[kind] <= MAX_OF_KIND:
                self._suspects.append(suspect)

    async def report(self, calls: ServiceCalls, total: int) -> StuckReport:
        """The report; `total` is the number of open workflows before some of those that were looked at closed."""
        findings = await task_queue_findings(calls, self._suspects, self._needs, self._now)
        return StuckReport(
            namespace=calls.client.namespace,
            at=self._now,
            findings=ranked(findings),
            open=max(self.examined, total - (self.looked_at - self.examined)),
            examined=self.examined,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Sequence[str]:
        notes = [
            f"{kind.replace('_', ' ')}: only the first {MAX_OF_KIND:,} of {count:,} are listed"
            for kind, count in self._kinds.items()
            if count > MAX_OF_KIND
        ]
        if self._unread:
            notes.append(
                f"late timers were not looked for in {self._unread:,} workflows: a server that is late is late for many"
            )
        if self._unseen:
            more = f"{self._unseen:,} workflows have more events"
            notes.append(f"only the last {EVENTS} events were searched for late timers: {more}")
        return notes
