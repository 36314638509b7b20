"""Scripted activities: failures, delays and heartbeats, put together; what comes after them is said by `then`."""

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
    """The activity that a mock stands for."""

    REAL = "real"


REAL = Original.REAL


class Run(Protocol):
    """One attempt of a mocked activity, as a script sees it."""

    name: str

    def count(self, step: Script) -> int:
        """How often that step has been reached, this time included: in the test, or in this activity's attempts."""

    async def perform(self, what: Any) -> Any:
        """What `what` comes to: a call of it, its script, its exception, or itself."""

    async def patiently(self, work: Awaitable[T]) -> T:
        """The result of `work`, which is cancelled with the activity."""


@dataclass(frozen=True, eq=False)
class Script:
    """A step of a scripted activity, then what `then` is: REAL, a value, an exception, a callable or another step."""

    then: Any = REAL

    async def play(self, run: Run) -> Any:
        """Do the step, then the rest."""
        return await run.perform(self.then)


@dataclass(frozen=True, eq=False)
class Fails(Script):
    """See `fails`."""

    error: BaseException | type[BaseException] | str | None = None
    times: int | None = None
    each: bool = False
    retry_after: timedelta | None = None

    async def play(self, run: Run) -> Any:
        """Fail, as long as it is said to."""
        if self.times is not None and run.count(self) > self.times:
            return await run.perform(self.then)
        if isinstance(self.error, type):
            raise self._dressed(self.error())
        if isinstance(self.error, BaseException):
            raise self._dressed(self.error)
        text = self.error or f"{run.name} fails: its script in this test says so"
        raise ApplicationError(text, type="ScriptedFailure", next_retry_delay=self.retry_after)

    def _dressed(self, error: BaseException) -> BaseException:
        error = error.with_traceback(None)
        if self.retry_after is None:
            return error
        return ApplicationError(str(error), type=type(error).__name__, next_retry_delay=self.retry_after)


@dataclass(frozen=True, eq=False)
class Delays(Script):
    """See `delays`."""

    seconds: float = 0.0

    async def play(self, run: Run) -> Any:
        """Wait, in real time."""
        await run.patiently(asyncio.sleep(self.seconds))
        return await run.perform(self.then)


@dataclass(frozen=True, eq=False)
class Heartbeats(Script):
    """See `heartbeats`."""

    details: tuple[Any, ...] = ()
    every: float = 0.0

    async def play(self, run: Run) -> Any:
        """Send them one after the other."""
        for number, detail in enumerate(self.details):
            await run.patiently(asyncio.sleep(self.every if number else 0))
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
    """An activity that raises `error`: the first `times` calls of it in the test (all, if None), then does `then`.

    With `each`, the first attempts of each activity are counted on their own. `retry_after` is when Temporal tries
    again, whatever the workflow's retry policy says; without it, that is after the policy's interval (1 s by default).
    """
    return Fails(then, error, times, each, retry_after)


def delays(duration: timedelta | float, then: Any = REAL) -> Script:
    """An activity that waits first, in real time (a number is in seconds), then does `then`; it can be cancelled."""
    return Delays(then, _seconds(duration))


def heartbeats(*details: Any, every: timedelta | float = 0.0, then: Any = REAL) -> Script:
    """An activity that sends a heartbeat with each of `details`, `every` so often, then does `then`."""
    return Heartbeats(then, details, _seconds(every))


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
