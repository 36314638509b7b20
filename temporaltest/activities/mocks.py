"""Mocks of activities: each is checked against the activity that it replaces, and runs in its place."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from temporalio import activity, worker
from temporalio.exceptions import ApplicationError

from devserver.replay import DaemonThreads

from ..errors import SetupError
from .call_ledger import CallLedger
from .scripted import Original, Script, ScriptedFailure
from .signatures import CallSignature, mismatch, signature_of, wrong_count, wrong_result

T = TypeVar("T")

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Mock:
    """The replacement of the activity `name`; `real` is the activity's signature, None if it is unknown."""

    name: str
    fake: Any
    real: CallSignature | None


def name_of(reference: str | Callable[..., Any]) -> str:
    """The name that an activity is registered with; "" for a dynamic one.

    Raises:
        SetupError: `reference` is no activity.
    """
    if isinstance(reference, str):
        return reference
    found = activity._Definition.from_callable(reference)
    if found is None:
        raise SetupError(f"{_called(reference)} is not an activity: it has no @activity.defn")
    return found.name or ""


def registered(activities: Sequence[Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The activities by the names that a worker registers them with."""
    return {name_of(function): function for function in activities}


def check(mocks: Mapping[str | Callable[..., Any], Any], activities: Sequence[Callable[..., Any]]) -> dict[str, Mock]:
    """The mocks by the names of the activities that they replace.

    Raises:
        SetupError: A mock replaces an activity that is not registered, or does not match its signature.
    """
    if not mocks:
        return {}
    known = registered(activities)
    found: dict[str, Mock] = {}
    for reference, fake in mocks.items():
        name = name_of(reference)
        if name in found:
            raise SetupError(f"the activity {name!r} is mocked twice")
        if name not in known and "" not in known:
            names = ", ".join(sorted(known)) or "none"
            raise SetupError(
                f"mocks: no activity {name!r} is registered on this worker (registered: {names})\n"
                "pass the real activity to activities=[...] as in production; the mock then runs in its place"
            )
        found[name] = Mock(name, fake, signature_of(known[name]) if name in known else None)
        _check_signature(found[name], fake)
    return found


def _check_signature(mock: Mock, fake: Any) -> None:
    if isinstance(fake, Script):
        _check_signature(mock, fake.then)
    elif mock.real is None or isinstance(fake, Original) or _is_error(fake):
        return
    elif callable(fake):
        own = signature_of(fake)
        why = mismatch(mock.real, own) if own is not None else None
        if why:
            raise SetupError(
                f"the mock of {mock.name!r} {why}\n  activity {mock.real.text}\n  mock     {own and own.text}"
            )
    else:
        why = wrong_result(mock.real, fake)
        if why:
            raise SetupError(f"the mock of {mock.name!r} {why}")


class Mocking(worker.Interceptor):
    """A worker interceptor that runs the mocks; activities without a mock run unchanged."""

    def __init__(self, mocks: Mapping[str, Mock], activities: Sequence[Callable[..., Any]], ledger: CallLedger) -> None:
        self._mocks = mocks
        self._dynamic = mocks.get("")
        self._known = registered(activities)
        self.ledger = ledger
        self.threads = DaemonThreads("temporaltest-mock")
        self._counts: defaultdict[Any, itertools.count[int]] = defaultdict(lambda: itertools.count(1))

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Inbound(next, self)

    def mock(self, name: str) -> Mock | None:
        """The mock of the activity. A mock of the dynamic activity replaces every name that is not registered."""
        return self._mocks.get(name) or (None if name in self._known else self._dynamic)

    def count(self, *key: Any) -> int:
        """How often this was called with the key, including this call."""
        return next(self._counts[key])


class _Inbound(worker.ActivityInboundInterceptor):
    def __init__(self, next: worker.ActivityInboundInterceptor, mocking: Mocking) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._mocking = mocking

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        name = activity.info().activity_type
        mock = self._mocking.mock(name)
        if mock is None:
            return await super().execute_activity(input)
        self._mocking.ledger.note(mocked=True)
        why = wrong_count(mock.real, len(input.args)) if mock.real is not None else None
        if why:
            raise _final(f"the activity {name!r} {why}")
        return await _Run(name, mock, input, self.next, self._mocking).perform(mock.fake)


@dataclass
class _Run:
    """See `ScriptedRun`."""

    name: str
    mock: Mock
    input: worker.ExecuteActivityInput
    real: worker.ActivityInboundInterceptor
    mocking: Mocking

    def count(self, step: Script) -> int:
        info = activity.info()
        alone = isinstance(step, ScriptedFailure) and step.each
        return self.mocking.count(step, self.name, *((info.workflow_run_id, info.activity_id) if alone else ()))

    async def perform(self, what: Any) -> Any:
        if isinstance(what, Script):
            return await what.play(self)
        if isinstance(what, Original):
            return await self.real.execute_activity(self.input)
        if _is_error(what):
            raise what.with_traceback(None) if isinstance(what, BaseException) else what
        result = await self._call(what) if callable(what) else what
        why = wrong_result(self.mock.real, result) if self.mock.real is not None else None
        if why:
            raise _final(f"the mock of {self.name!r} {why}")
        return result

    async def _call(self, fake: Callable[..., Any]) -> Any:
        if inspect.iscoroutinefunction(fake) or inspect.iscoroutinefunction(type(fake).__call__):
            return await self.cancellable(fake(*self.input.args))
        call = replace(self.input, fn=lambda *args: fake(*args), executor=self.mocking.threads)
        result = await self.real.execute_activity(call)
        return await self.cancellable(result) if inspect.isawaitable(result) else result

    async def cancellable(self, work: Awaitable[T]) -> T:
        """Wait for `work`. The SDK cancels only the tasks of async activities, so the mock of a sync one polls."""
        if self.input.executor is None:
            return await work
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                if activity.is_cancelled():
                    task.cancel()
            return task.result()
        finally:
            task.cancel()


def _final(message: str) -> ApplicationError:
    return ApplicationError(message, type="SetupError", non_retryable=True)


def _is_error(value: Any) -> bool:
    return isinstance(value, BaseException) or (isinstance(value, type) and issubclass(value, BaseException))


def _called(reference: Any) -> str:
    return str(getattr(reference, "__qualname__", None) or repr(reference))
