"""Starting workflows from tests, with the types of the workflow's arguments and result."""

from __future__ import annotations

import abc
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, overload

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.types import MethodAsyncNoParam, MethodAsyncSingleParam

from ..time.virtual_clocks import started_and_awaited

if TYPE_CHECKING:
    from typing_extensions import Unpack

S = TypeVar("S")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")

TASK_QUEUE = "tests"


class StartOptions(TypedDict, total=False):
    """Keywords of `Client.start_workflow`, none of them required; the test has defaults of `id` and `task_queue`."""

    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    id_conflict_policy: WorkflowIDConflictPolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    start_signal: str | None
    start_signal_args: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    request_eager_start: bool
    priority: Priority
    versioning_override: VersioningOverride | None


class NamedStartOptions(StartOptions, total=False):
    """Keywords for a workflow that is given by its name, which does not have the type of the result."""

    result_type: type | None


class WorkflowStarter(abc.ABC):
    """`execute` and `start`, for a subclass that has a client and can wait."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    @property
    @abc.abstractmethod
    def client(self) -> Client:
        """The SDK's client of the namespace, usable from any event loop."""

    @property
    def task_queue(self) -> str:
        """The default task queue of workers and workflows."""
        return TASK_QUEUE

    @property
    def id_prefix(self) -> str:
        """The prefix of generated workflow ids."""
        return ""

    @abc.abstractmethod
    def run(self, work: Awaitable[T], description: str = "a call of temporal.run") -> T:
        """The result of `work`, within the limit of a wait."""

    @overload
    def execute(self, workflow: MethodAsyncNoParam[S, T], /, **options: Unpack[StartOptions]) -> T: ...
    @overload
    def execute(self, workflow: MethodAsyncSingleParam[S, A, T], arg: A, /, **options: Unpack[StartOptions]) -> T: ...
    @overload
    def execute(
        self, workflow: Callable[[S, A, B], Awaitable[T]], a: A, b: B, /, **options: Unpack[StartOptions]
    ) -> T: ...
    @overload
    def execute(
        self, workflow: Callable[[S, A, B, C], Awaitable[T]], a: A, b: B, c: C, /, **options: Unpack[StartOptions]
    ) -> T: ...
    @overload
    def execute(
        self,
        workflow: Callable[[S, A, B, C, D], Awaitable[T]],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        **options: Unpack[StartOptions],
    ) -> T: ...
    @overload
    def execute(
        self, workflow: Callable[..., Awaitable[T]], /, *, args: Sequence[Any], **options: Unpack[StartOptions]
    ) -> T: ...
    @overload
    def execute(
        self, workflow: str, /, *arguments: Any, args: Sequence[Any] = (), **options: Unpack[NamedStartOptions]
    ) -> Any: ...

    def execute(self, workflow: Any, /, *arguments: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result. `options` are those of the SDK's `start_workflow`.

        Raises:
            temporalio.client.WorkflowFailureError: The workflow failed; the error has its traceback.
            WaitTimeout: The workflow did not end within `--temporal-timeout`.
        """
        with started_and_awaited():
            handle = self._start(workflow, arguments, options)
        return self.run(handle.result(), f"the workflow {handle.id}")

    @overload
    def start(self, workflow: MethodAsyncNoParam[S, T], /, **options: Unpack[StartOptions]) -> WorkflowHandle[S, T]: ...
    @overload
    def start(
        self, workflow: MethodAsyncSingleParam[S, A, T], arg: A, /, **options: Unpack[StartOptions]
    ) -> WorkflowHandle[S, T]: ...
    @overload
    def start(
        self, workflow: Callable[[S, A, B], Awaitable[T]], a: A, b: B, /, **options: Unpack[StartOptions]
    ) -> WorkflowHandle[S, T]: ...
    @overload
    def start(
        self, workflow: Callable[[S, A, B, C], Awaitable[T]], a: A, b: B, c: C, /, **options: Unpack[StartOptions]
    ) -> WorkflowHandle[S, T]: ...
    @overload
    def start(
        self,
        workflow: Callable[[S, A, B, C, D], Awaitable[T]],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[S, T]: ...
    @overload
    def start(
        self, workflow: Callable[..., Awaitable[T]], /, *, args: Sequence[Any], **options: Unpack[StartOptions]
    ) -> WorkflowHandle[Any, T]: ...
    @overload
    def start(
        self, workflow: str, /, *arguments: Any, args: Sequence[Any] = (), **options: Unpack[NamedStartOptions]
    ) -> WorkflowHandle[Any, Any]: ...

    def start(self, workflow: Any, /, *arguments: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow, by default with a generated id. Wait for it with `run(handle.result())`."""
        return self._start(workflow, arguments, options)

    def _start(self, workflow: Any, arguments: Sequence[Any], options: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        if "id" not in options:
            options["id"] = self._id(workflow)
        options.setdefault("task_queue", self.task_queue)
        options["args"] = [*arguments, *options.get("args", ())]
        return self.run(self.client.start_workflow(workflow, **options), "the start of a workflow")

    def _id(self, workflow: Any) -> str:
        """A readable id that is the same in each run of the test: `greet-1`, `greet-2` for `Greet.run`."""
        name = workflow if isinstance(workflow, str) else getattr(workflow, "__qualname__", "workflow")
        readable = re.sub(r"(?<!^)(?=[A-Z])", "-", name.split(".")[-2:][0]).lower()
        return f"{self.id_prefix}{readable}-{next(self._numbers)}"
