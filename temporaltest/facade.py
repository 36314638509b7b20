"""`temporal`: everything that a test of workflows needs; every call works without an event loop."""

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
from .workflows.start import WorkflowStarter

if TYPE_CHECKING:
    from .isolation.context import CaseContext
    from .workflows.environment import Environment

T = TypeVar("T")

SPARE_SECONDS = 10.0


class Temporal(WorkflowStarter):
    """The Temporal server of one test: a namespace of its own, a client, workers.

    The methods block. An async test may call them too, because workers run in another event loop; it may also await the
    SDK's calls of `temporal.client`.
    """

    def __init__(self, case: CaseContext) -> None:
        super().__init__()
        self._case = case

    def __repr__(self) -> str:
        return f"<temporal: namespace {self.namespace} at {self.address}>"

    @property
    def case(self) -> CaseContext:
        """The plugin's context of the test."""
        return self._case

    @cached_property
    def env(self) -> Environment:
        """The same server as an SDK `WorkflowEnvironment`."""
        from .workflows.environment import Environment

        return Environment(self._case)

    @property
    def client(self) -> Client:
        """The SDK's client of the test's namespace, usable from any event loop."""
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
        """The URL of the Web UI; None unless `--temporal-ui` is on."""
        return self._case.endpoint.ui_url

    @property
    def task_queue(self) -> str:
        """The default task queue of the test's workers and workflows."""
        return self._case.slot.task_queue

    @property
    def id_prefix(self) -> str:
        """The prefix of generated workflow ids; empty unless tests share a namespace."""
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
        """Start a worker, which is stopped at the end of the test. `options` are those of the SDK's `Worker`.

        Args:
            mocks: What replaces an activity (the function or its name): a sync or async callable, a value, an
                exception, or a script (`fails`, `delays`, `heartbeats`).
            passthrough: Modules that the workflow sandbox does not import again.

        Raises:
            SetupError: The SDK rejects the workflows or activities, or a mock does not match its activity.
            WorkerStuck: An activity of this test blocks the event loop of its workers.
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
            raise self._case.blocked(self._case.guard.limit) from None

    def calls(self, activity: str | Callable[..., Any] | None = None) -> list[Call]:
        """Every attempt of an activity in this test, mocked or not, in the order of their start; of all, if None.

        Raises:
            SetupError: No worker of the test runs that activity.
        """
        name = None if activity is None else name_of(activity)
        calls = self._case.workers.ledger.calls(name)
        known = self._case.workers.activities
        if name and not calls and name not in known:
            raise SetupError(f"no worker of this test runs {name!r} (activities: {', '.join(sorted(known)) or 'none'})")
        return calls

    def run(self, work: Awaitable[T], description: str = "a call of temporal.run") -> T:
        """The result of an awaitable of the SDK, within `--temporal-timeout`. `description` names it in an error.

        Raises:
            WaitTimeout: It takes longer; the message has the state of every open workflow.
            WorkerDied: A worker ended meanwhile.
            SetupError: The call blocks an event loop that a worker runs in.
        """
        try:
            self._refuse_to_block_a_worker()
        except SetupError:
            _discard(work)
            raise
        guard = self._case.guard
        future = self._case.loop.submit(guard.wait(work, description))
        try:
            return future.result(guard.limit + SPARE_SECONDS)
        except (OutOfTime, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or not future.cancel():
                future.cancel()
                raise
            raise WaitTimeout(f"waited for {description}\n{self._case.blocked(guard.limit)}") from error

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
