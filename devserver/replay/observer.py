"""Observes a replay: it fails rather than hangs, and shows how far the workflow's code came and to which line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from temporalio import worker as sdk
from temporalio import workflow
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from .daemon_threads import DaemonThreads
from .eviction import THREADS, evict
from .source_lines import SourceLine, raised_at, suspended_at

Definition = workflow._Definition
EVICT_SECONDS = 1.0  # the SDK complains after 2 s
DEFINITION = "__temporal_workflow_definition"


class ReplayObserver(sdk.Plugin):
    """A plugin of the SDK's replayer; it must be the last one, so that nothing changes the configuration after it.

    Where non-determinism counts as a failure of the workflow, the SDK's replayer waits forever for an end that does not
    come. So the replayer gets stand-ins, of whose failures none counts, in place of the workflow classes.

    Attributes:
        reached: The length of the history that the code has been given.
        stacks: Where the code was then: the user's lines of each task, the innermost last.
        raised: What the workflow's main function raised.
        function: The workflow's main function.
        eviction: The thread that ends workflows, one after the other.
        commands: What the workflow asked for, in order.
    """

    def __init__(self) -> None:
        self.eviction = DaemonThreads(THREADS)
        self.reset()

    def reset(self, history: WorkflowHistory | None = None) -> None:
        """Prepare for the next history."""
        events = history.events if history is not None else ()
        self.task_queue = events[0].workflow_execution_started_event_attributes.task_queue.name if events else ""
        self.commands: list[WorkflowCommand] = []
        self.reached = 0
        self.stacks: list[list[SourceLine]] = []
        self.raised: BaseException | None = None
        self.function: SourceLine | None = None
        self._task: asyncio.Task[Any] | None = None

    @property
    def started(self) -> bool:
        """Whether the workflow's main function started."""
        return self._task is not None

    def on_start(self, task: asyncio.Task[Any] | None) -> None:
        """The workflow's main function starts in this task."""
        self._task = task

    def note_commands(self, completion: WorkflowActivationCompletion) -> None:
        """Note what one step of the workflow asked for; copies, because the SDK encodes them afterwards."""
        for command in completion.successful.commands:
            copy = WorkflowCommand()
            copy.CopyFrom(command)
            self.commands.append(copy)

    def note_stacks(self) -> None:
        """Note where the workflow's code is."""
        if self._task is None or self.raised is not None:
            return
        others = [task for task in asyncio.all_tasks(self._task.get_loop()) if task is not self._task]
        stacks = [suspended_at(task.get_coro()) for task in (self._task, *others) if not task.done()]
        self.stacks = [stack for stack in stacks if stack]

    def configure_replayer(self, config: sdk.ReplayerConfig) -> sdk.ReplayerConfig:
        """Replace the workflows with stand-ins and the runner with one that is observed."""
        classes = map(Definition.must_from_class, config.get("workflows", ()))
        definitions = {definition.name: definition for definition in classes}
        types = tuple(config.get("workflow_failure_exception_types", ()))
        sandboxed = config.get("workflow_runner") or SandboxedWorkflowRunner()
        unsandboxed = config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
        config["workflows"] = [_stand_in(definition) for definition in definitions.values()]
        config["workflow_failure_exception_types"] = []
        config["workflow_runner"] = _Runner(self, sandboxed, definitions, types)
        config["unsandboxed_workflow_runner"] = _Runner(self, unsandboxed, definitions, types)
        config["interceptors"] = [*config.get("interceptors", ()), _Interceptor(self)]
        return config

    def configure_worker(self, config: sdk.WorkerConfig) -> sdk.WorkerConfig:
        """Required by the SDK; this is no plugin of workers."""
        return config

    async def run_worker(self, worker: sdk.Worker, next: Callable[[sdk.Worker], Any]) -> None:  # noqa: A002
        """Required by the SDK; this is no plugin of workers."""
        await next(worker)

    def run_replayer(
        self,
        replayer: sdk.Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[  # noqa: A002 - the SDK's name
            [sdk.Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[sdk.WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[sdk.WorkflowReplayResult]]:
        """Required by the SDK; nothing to do around the run."""
        return next(replayer, histories)


def _stand_in(definition: Definition) -> type:
    """A class that the replayer takes for the workflow; none of its failures fails the workflow."""
    kind = type(definition.cls.__name__, (), {})
    setattr(kind, DEFINITION, replace(definition, cls=kind, failure_exception_types=[]))
    return kind


class _Runner(WorkflowRunner):
    """Runs the workflows themselves, in the user's runner, where the replayer asks for their stand-ins."""

    def __init__(
        self,
        observer: ReplayObserver,
        runner: WorkflowRunner,
        definitions: Mapping[str | None, Definition],
        types: Sequence[type[BaseException]],
    ) -> None:
        self._observer = observer
        self._runner = runner
        self._definitions = definitions
        self._types = types

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        self._runner.set_worker_level_failure_exception_types([*types, *self._types])

    def prepare_workflow(self, defn: Definition) -> None:
        """Required by the SDK; the worker that ran the workflow has checked it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        info = replace(det.info, task_queue=self._observer.task_queue)  # the SDK's replayer invents one
        definition = self._definitions[det.defn.name]
        real = replace(det, info=info, defn=definition, worker_level_failure_exception_types=self._types)
        code = real.defn.run_fn.__code__
        self._observer.function = SourceLine(code.co_filename, code.co_firstlineno, code.co_name)
        instance: Any = _Instance(self._observer, self._runner.create_instance(real))
        return instance  # type: ignore[no-any-return]


class _Instance:
    """One workflow in its sandbox; all but `activate` is the SDK's own."""

    def __init__(self, observer: ReplayObserver, instance: WorkflowInstance) -> None:
        self._observer = observer
        self._instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def activate(self, act: Any) -> Any:
        """One step of the workflow. Before the last one, which ends it, note where its code is.

        Code that does not end is left behind, since the SDK's replayer would wait for it forever.
        """
        if not any(job.HasField("remove_from_cache") for job in act.jobs):
            self._observer.reached = act.history_length
            completion = self._instance.activate(act)
            self._observer.note_commands(completion)
            return completion
        self._observer.note_stacks()
        if evict(self._instance, act, EVICT_SECONDS, self._observer.eviction) is not None:
            self._observer.eviction = DaemonThreads(THREADS)
        return WorkflowActivationCompletion(run_id=act.run_id)


class _Interceptor(sdk.Interceptor):
    """Shows the observer a workflow's main task and what it raises."""

    def __init__(self, observer: ReplayObserver) -> None:
        self._observer = observer

    def workflow_interceptor_class(
        self,
        input: sdk.WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[sdk.WorkflowInboundInterceptor]:
        observer = self._observer

        class Inbound(sdk.WorkflowInboundInterceptor):
            async def execute_workflow(self, input: sdk.ExecuteWorkflowInput) -> Any:  # noqa: A002
                observer.on_start(asyncio.current_task())
                try:
                    return await self.next.execute_workflow(input)
                except Exception as error:
                    observer.raised = error
                    observer.stacks = [raised_at(error)]
                    raise

        return Inbound
