"""Starting workflows from tests: the types of arguments and results are those of the workflow's `run`."""

from __future__ import annotations

import abc
import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from temporalio.client import Client, WorkflowHandle
from temporalio.types import MethodAsyncNoParam, MethodAsyncSingleParam

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .start_options import NamedOptions, StartOptions

S = TypeVar("S")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")

TASK_QUEUE = "tests"


class Starting(abc.ABC):
    """`execute` and `start` for whoever has a client and can wait."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    @property
    @abc.abstractmethod
    def client(self) -> Client:
        """The SDK's client of the namespace; usable from any event loop."""

    @property
    def task_queue(self) -> str:
        """The task queue that workers and workflows use unless told otherwise."""
        return TASK_QUEUE

    @property
    def id_prefix(self) -> str:
        """How the ids of workflows begin that are not given one."""
        return ""

    @abc.abstractmethod
    def run(self, work: Awaitable[T], what: str = "a call of temporal.run") -> T:
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
        self, workflow: str, /, *arguments: Any, args: Sequence[Any] = (), **options: Unpack[NamedOptions]
    ) -> Any: ...

    def execute(self, workflow: Any, /, *arguments: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result. `options` are those of the SDK's `start_workflow`.

        Raises:
            temporalio.client.WorkflowFailureError: The workflow failed, with its own traceback.
            WaitTimeout: It did not end within the limit.
        """
        handle: WorkflowHandle[Any, Any] = self._start(workflow, arguments, options)
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
        self, workflow: str, /, *arguments: Any, args: Sequence[Any] = (), **options: Unpack[NamedOptions]
    ) -> WorkflowHandle[Any, Any]: ...

    def start(self, workflow: Any, /, *arguments: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow; its id and task queue are the test's unless given. Wait with `run(handle.result())`."""
        return self._start(workflow, arguments, options)

    def _start(self, workflow: Any, arguments: Sequence[Any], options: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        if "id" not in options:
            options["id"] = self._id(workflow)
        options.setdefault("task_queue", self.task_queue)
        options["args"] = [*arguments, *options.get("args", ())]
        return self.run(self.client.start_workflow(workflow, **options), "the start of a workflow")

    def _id(self, workflow: Any) -> str:
        """Readable, and the same in each run of the test: `Greet.run` makes `greet-1`, `greet-2`."""
        name = workflow if isinstance(workflow, str) else getattr(workflow, "__qualname__", "workflow")
        readable = re.sub(r"(?<!^)(?=[A-Z])", "-", name.split(".")[-2:][0]).lower()
        return f"{self.id_prefix}{readable}-{next(self._numbers)}"
