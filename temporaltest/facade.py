"""`temporal`: all that a test of workflows needs, in one place; every call works without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as OutOfTime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import Client

from .activities.call_ledger import Call
from .activities.mocks import name_of
from .errors import SetupError, WaitTimeout
from .workers.running_worker import RunningWorker
from .workflows.start import Starting

if TYPE_CHECKING:
    from .isolation.context import CaseContext
    from .workflows.environment import Environment

T = TypeVar("T")

SPARE_SECONDS = 10.0


class Temporal(Starting):
    """The Temporal server as one test sees it: a namespace of its own, a client, workers.

    In an async test, await `temporal.client` with the SDK's own calls; in any test, the methods here block. They may be
    called in an async test too, since workers live in a loop of their own.
    """

    def __init__(self, case: CaseContext) -> None:
        super().__init__()
        self._case = case

    def __repr__(self) -> str:
        return f"<temporal: namespace {self.namespace} at {self.address}>"

    @property
    def case(self) -> CaseContext:
        """What the plugin keeps of the test."""
        return self._case

    @cached_property
    def env(self) -> Environment:
        """The same server in the shape of the SDK's `WorkflowEnvironment`."""
        from .workflows.environment import Environment

        return Environment(self._case)

    @property
    def client(self) -> Client:
        """The SDK's client of the test's namespace; usable from any event loop."""
        return self._case.client

    @property
    def namespace(self) -> str:
        """The test's own namespace."""
        return self._case.namespace

    @property
    def address(self) -> str:
        """The server's `host:port`."""
        return self._case.endpoint.address

    @property
    def ui_url(self) -> str | None:
        """The Web UI, where it is on (`--temporal-ui`)."""
        return self._case.endpoint.ui_url

    @property
    def task_queue(self) -> str:
        """The task queue that workers and workflows of the test use unless told otherwise."""
        return self._case.slot.task_queue

    @property
    def id_prefix(self) -> str:
        """How the ids of workflows begin that are not given one; not empty where tests share a namespace."""
        return self._case.slot.id_prefix

    def worker(
        self,
        *,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        mocks: Mapping[Any, Any] | None = None,
        task_queue: str | None = None,
        passthrough: Sequence[str] = (),
        **options: Any,
    ) -> RunningWorker:
        """Start a worker; it is stopped at the end of the test. `options` are those of the SDK's `Worker`.

        `mocks` says what stands for an activity (the function or its name): a callable sync or async, a value, an
        exception, or a script (`fails`, `delays`, `heartbeats`). `passthrough` names modules that the sandbox takes as
        they are.

        Raises:
            SetupError: The SDK refuses the workflows or activities, or a mock does not fit its activity.
            WorkerStuck: An activity of this test blocks the event loop that its workers live in.
        """
        starting = self._case.workers.start(
            self._case.client,
            workflows=workflows,
            activities=activities,
            task_queue=task_queue or self.task_queue,
            passthrough=passthrough,
            mocked=mocks,
            **options,
        )
        try:
            return self._case.loop.run(starting, self._case.guard.limit)
        except OutOfTime:
            raise self._case.workers.blocked(self._case.guard.limit) from None

    def calls(self, activity: str | Callable[..., Any] | None = None) -> list[Call]:
        """Every attempt of an activity in this test, mocked or not, in the order in which they began; of all, if None.

        Raises:
            SetupError: No worker of the test runs that activity.
        """
        name = None if activity is None else name_of(activity)
        found = self._case.workers.ledger.calls(name)
        known = self._case.workers.activities
        if name and not found and name not in known:
            raise SetupError(f"no worker of this test runs {name!r} (activities: {', '.join(sorted(known)) or 'none'})")
        return found

    def run(self, work: Awaitable[T], what: str = "a call of temporal.run") -> T:
        """The result of anything awaitable of the SDK, within the limit of a wait.

        Raises:
            WaitTimeout: It passed the limit; the message holds the state of every open workflow.
            WorkerDied: A worker ended meanwhile.
            SetupError: Called in an event loop that a worker needs meanwhile.
        """
        try:
            self._refuse_to_block_a_worker()
        except SetupError:
            _discard(work)
            raise
        guard = self._case.guard
        future = self._case.loop.submit(guard.wait(work, what))
        try:
            return future.result(guard.limit + SPARE_SECONDS)
        except (OutOfTime, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or not future.cancel():
                future.cancel()
                raise
            raise WaitTimeout(f"waited for {what}\n{self._case.workers.blocked(guard.limit)}") from error

    def _refuse_to_block_a_worker(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        queues = self._case.workers.queues_in(loop)
        if queues:
            raise SetupError(
                f"a worker (task queue {queues[0]!r}) runs in this event loop, and this call would block it; "
                "await temporal.client instead, or start the worker with temporal.worker(...)"
            )


def _discard(work: Awaitable[Any]) -> None:
    if asyncio.iscoroutine(work):
        work.close()
