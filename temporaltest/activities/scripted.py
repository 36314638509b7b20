"""Scripted activities: failures, delays and heartbeats, combined with `then`."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

T = TypeVar("T")


class Original(enum.Enum):
    """The activity that a mock replaces."""

    REAL = "real"


REAL = Original.REAL


class ScriptedRun(Protocol):
    """One attempt of a mocked activity, as a script sees it."""

    name: str

    def count(self, step: Script) -> int:
        """How often this step was reached, including this time: in the test, or in the attempts of this activity."""

    async def perform(self, what: Any) -> Any:
        """The outcome of `what`: call it, play it, raise it, or return it."""

    async def cancellable(self, work: Awaitable[T]) -> T:
        """The result of `work`, which is cancelled together with the activity."""


@dataclass(frozen=True, eq=False)
class Script:
    """A step of a scripted activity. Then `then` happens: REAL, a value, an exception, a callable or another step."""

    then: Any = REAL

    async def play(self, run: ScriptedRun) -> Any:
        """Do the step, then `then`."""
        return await run.perform(self.then)


@dataclass(frozen=True, eq=False)
class ScriptedFailure(Script):
    """See `fails`."""

    error: BaseException | type[BaseException] | str | None = None
    times: int | None = None
    each: bool = False
    retry_after: timedelta | None = None

    async def play(self, run: ScriptedRun) -> Any:
        """Fail, `times` times."""
        if self.times is not None and run.count(self) > self.times:
            return await run.perform(self.then)
        if isinstance(self.error, type):
            raise self._prepared(self.error())
        if isinstance(self.error, BaseException):
            raise self._prepared(self.error)
        text = self.error or f"{run.name} fails: its script in this test makes it fail"
        raise ApplicationError(text, type="ScriptedFailure", next_retry_delay=self.retry_after)

    def _prepared(self, error: BaseException) -> BaseException:
        error = error.with_traceback(None)
        if self.retry_after is None:
            return error
        return ApplicationError(str(error), type=type(error).__name__, next_retry_delay=self.retry_after)


@dataclass(frozen=True, eq=False)
class ScriptedDelay(Script):
    """See `delays`."""

    seconds: float = 0.0

    async def play(self, run: ScriptedRun) -> Any:
        """Wait, in real time."""
        await run.cancellable(asyncio.sleep(self.seconds))
        return await run.perform(self.then)


@dataclass(frozen=True, eq=False)
class ScriptedHeartbeats(Script):
    """See `heartbeats`."""

    details: tuple[Any, ...] = ()
    every: float = 0.0

    async def play(self, run: ScriptedRun) -> Any:
        """Send the heartbeats one after the other."""
        for number, detail in enumerate(self.details):
            await run.cancellable(asyncio.sleep(self.every if number else 0))
            activity.heartbeat(detail)
        return await run.perform(self.then)


def fails(
    error: BaseException | type[BaseException] | str | None = None,
    *,
    times: int | None = None,
    then: Any = REAL,
    each: bool = False,
    retry_after: timedelta | None = None,
) -> Script:
    """An activity that raises `error` in its first `times` calls of the test (in all, if None), then does `then`.

    With `each`, the attempts of each activity execution are counted separately. Temporal retries after `retry_after`
    instead of the interval of the workflow's retry policy (1 s by default).
    """
    return ScriptedFailure(then, error, times, each, retry_after)


def delays(duration: timedelta | float, then: Any = REAL) -> Script:
    """An activity that waits in real time (a number is in seconds), then does `then`; it can be cancelled."""
    return ScriptedDelay(then, _seconds(duration))


def heartbeats(*details: Any, every: timedelta | float = 0.0, then: Any = REAL) -> Script:
    """An activity that sends a heartbeat with each of `details`, one every `every` seconds, then does `then`."""
    return ScriptedHeartbeats(then, details, _seconds(every))


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
