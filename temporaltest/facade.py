"""`temporal`: all that a test of workflows needs, in one place; every call works without an event loop."""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from temporalio.client import Client, WorkflowHandle

from .workers import RunningWorker

if TYPE_CHECKING:
    from .case import Case

T = TypeVar("T")
A = TypeVar("A")

TASK_QUEUE = "tests"
SPARE_SECONDS = 10.0


class Temporal:
    """The Temporal server as one test sees it: a namespace of its own, a client, workers.

    In an async test, await `temporal.client` with the SDK's own calls; in any test, the methods here block.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._numbers = itertools.count(1)

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
        return TASK_QUEUE

    def worker(
        self,
        *,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        task_queue: str = TASK_QUEUE,
        passthrough: Sequence[str] = (),
        **options: Any,
    ) -> RunningWorker:
        """Start a worker; it is stopped at the end of the test. `options` are those of the SDK's `Worker`.

        Raises:
            SetupError: The SDK refuses the workflows or activities.
        """
        starting = self._case.workers.start(
            self._case.client,
            workflows=workflows,
            activities=activities,
            task_queue=task_queue,
            passthrough=passthrough,
            **options,
        )
        return self._case.loop.run(starting)

    def run(self, work: Awaitable[T], what: str = "a call of temporal.run") -> T:
        """The result of anything awaitable of the SDK, within the limit of a wait.

        Raises:
            WaitTimeout: It passed the limit; the message holds the state of every open workflow.
            WorkerDied: A worker ended meanwhile.
        """
        guard = self._case.guard
        return self._case.loop.run(guard.wait(work, what), guard.limit + SPARE_SECONDS)

    @overload
    def execute(self, workflow: Callable[[Any], Awaitable[T]], /, **options: Any) -> T: ...
    @overload
    def execute(self, workflow: Callable[[Any, A], Awaitable[T]], arg: A, /, **options: Any) -> T: ...
    @overload
    def execute(self, workflow: Callable[..., Awaitable[T]], /, *args: Any, **options: Any) -> T: ...
    @overload
    def execute(self, workflow: str, /, *args: Any, **options: Any) -> Any: ...

    def execute(self, workflow: Any, /, *args: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result. `options` are those of the SDK's `start_workflow`.

        Raises:
            temporalio.client.WorkflowFailureError: The workflow failed, with its own traceback.
            WaitTimeout: It did not end within the limit.
        """
        handle = self.start(workflow, *args, **options)
        return self.run(handle.result(), f"the workflow {handle.id}")

    def start(self, workflow: Any, /, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow; its id and task queue are the test's unless given."""
        options.setdefault("id", self._id(workflow))
        options.setdefault("task_queue", TASK_QUEUE)
        return self.run(
            self._case.client.start_workflow(workflow, args=list(args), **options), "the start of a workflow"
        )

    def _id(self, workflow: Any) -> str:
        name = (
            workflow if isinstance(workflow, str) else getattr(workflow, "__qualname__", "workflow").split(".")[-2:][0]
        )
        readable = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        return f"{readable}-{next(self._numbers)}"
