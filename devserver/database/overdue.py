"""What came due in a database while no server ran on it: the next server catches up at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..config.durations import format_duration
from ..system.printable import counted

NAMED = 3
SHORT_OUTAGE = 10.0  # seconds: what a restart delays by less is not reported


@dataclass(frozen=True)
class OverdueSchedule:
    """A schedule that has missed actions.

    Attributes:
        namespace: Its namespace.
        schedule_id: Its id.
        since: The first time that it missed, in UTC, ISO 8601.
        missed: How many actions it missed.
        exact: Whether that is counted; a database has only the next few times, and more are estimated.
    """

    namespace: str
    schedule_id: str
    since: str
    missed: int
    exact: bool


@dataclass(frozen=True)
class Overdue:
    """What came due while no server ran on a database.

    Attributes:
        retained: Closed workflows whose retention ended, by namespace. A start keeps them for another retention period.
        schedules: The schedules that missed actions, the longest overdue first.
        timers: Open workflows that have an overdue timer or start delay.
        retries: Open workflows that have an overdue retry of an activity.
        timeouts: Open workflows whose run or execution timeout has passed.
    """

    retained: Mapping[str, int]
    schedules: tuple[OverdueSchedule, ...]
    timers: int
    retries: int
    timeouts: int

    def __bool__(self) -> bool:
        return bool(self.retained or self.catches_up())

    def catches_up(self) -> bool:
        """Whether a start makes workflows or schedules act."""
        return bool(self.schedules or self.timers or self.retries or self.timeouts)

    def to_json(self) -> dict[str, Any]:
        """The form in which `status --json` prints it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Overdue:
        """What `to_json` made."""
        return cls(**{**data, "schedules": tuple(OverdueSchedule(**each) for each in data["schedules"])})

    def lines(self, kept_for: float, *, pausing: bool = False, now: bool = True) -> Iterator[str]:
        """For a person, before a start.

        Args:
            kept_for: For how many seconds from now the start keeps the closed workflows.
            pausing: Whether the start pauses the schedules.
            now: Whether the server starts now.
        """
        when = "now" if now else "at the next start"
        if self.retained:
            count = sum(self.retained.values())
            where = ", ".join(f"{name}: {number}" for name, number in sorted(self.retained.items()))
            yield (
                f"the retention of {counted(count, 'closed workflow')} ended while no server was running ({where}); "
                f"a start keeps them for another {format_duration(round(kept_for))}"
            )
        counts = (("timers", self.timers), ("activity retries", self.retries), ("timeouts", self.timeouts))
        waiting = ", ".join(f"{text} of {counted(count, 'workflow')}" for text, count in counts if count)
        if waiting:
            yield f"overdue, handled {when}: {waiting}"
        if self.schedules and pausing:
            yield self._about_schedules("dropping these actions by pausing all schedules")
        elif self.schedules:
            yield self._about_schedules(
                f"they run {when} where overlap policy and catch-up window allow; --pause-schedules drops them"
            )

    def _about_schedules(self, outcome: str) -> str:
        named = ", ".join(map(_described, self.schedules[:NAMED]))
        more = f" and {len(self.schedules) - NAMED} more" if len(self.schedules) > NAMED else ""
        what = f"{counted(len(self.schedules), 'schedule')} missed actions since {self.schedules[0].since}"
        return f"{what}: {named}{more}; {outcome}"


def _described(schedule: OverdueSchedule) -> str:
    name = "".join(character if character.isprintable() else "?" for character in schedule.schedule_id)
    return f"{name} in {schedule.namespace} ({'' if schedule.exact else 'about '}{schedule.missed})"
