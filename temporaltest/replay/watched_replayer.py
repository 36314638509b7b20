"""A replayer that is watched: it fails rather than hangs, and tells how far the workflow's code came, to which line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from temporalio import worker as sdk
from temporalio import workflow
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from ..workers import eviction
from ..workflows.tracebacks import SourceLine, places_of, raised_at

Definition = workflow._Definition
EVICT_SECONDS = 1.0  # the SDK complains after 2 s
DEFINITION = "__temporal_workflow_definition"


class Watch(sdk.Plugin):
    """A replayer's last plugin: it has the last word on the configuration.

    Where non-determinism counts as a failure of the workflow, the SDK's replayer waits for ever for an end that does
    not come; so it is told that none does.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with another history."""
        self.reached = 0
        self.stacks: list[list[SourceLine]] = []
        self.raised: BaseException | None = None
        self.function: SourceLine | None = None
        self._task: asyncio.Task[Any] | None = None

    @property
    def begun(self) -> bool:
        """Whether the workflow's main function was reached."""
        return self._task is not None

    def began(self, task: asyncio.Task[Any] | None) -> None:
        """A workflow's main function begins."""
        self._task = task

    def look(self) -> None:
        """Note where the workflow's code stands."""
        if self._task is None or self.raised is not None:
            return
        others = [each for each in asyncio.all_tasks(self._task.get_loop()) if each is not self._task]
        tasks = [each for each in (self._task, *others) if not each.done()]
        stacks = [places_of(each.get_coro()) for each in tasks]
        self.stacks = [stack for stack in stacks if stack]

    def configure_replayer(self, config: sdk.ReplayerConfig) -> sdk.ReplayerConfig:
        """Put stand-ins in the place of the workflows, and a watched runner in the place of the runner."""
        definitions = {each.name: each for each in map(Definition.must_from_class, config.get("workflows", ()))}
        types = tuple(config.get("workflow_failure_exception_types", ()))
        sandboxed = config.get("workflow_runner") or SandboxedWorkflowRunner()
        unsandboxed = config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
        config["workflows"] = [_stand_in(each) for each in definitions.values()]
        config["workflow_failure_exception_types"] = []
        config["workflow_runner"] = _Runner(self, sandboxed, definitions, types)
        config["unsandboxed_workflow_runner"] = _Runner(self, unsandboxed, definitions, types)
        config["interceptors"] = [*config.get("interceptors", ()), _Interceptor(self)]
        return config

    def configure_worker(self, config: sdk.WorkerConfig) -> sdk.WorkerConfig:
        """The SDK asks for it; this is no plugin of workers."""
        return config

    async def run_worker(self, worker: sdk.Worker, next: Callable[[sdk.Worker], Any]) -> None:  # noqa: A002
        """The SDK asks for it; this is no plugin of workers."""
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
        """Nothing around the run."""
        return next(replayer, histories)


def _stand_in(definition: Definition) -> type:
    """A class that the replayer takes for the workflow, and that says of no failure that it fails the workflow."""
    kind = type(definition.cls.__name__, (), {})
    setattr(kind, DEFINITION, replace(definition, cls=kind, failure_exception_types=[]))
    return kind


class _Runner(WorkflowRunner):
    """Runs the workflows themselves, in the user's runner, where the replayer asks for their stand-ins."""

    def __init__(
        self,
        watch: Watch,
        runner: WorkflowRunner,
        definitions: Mapping[str | None, Definition],
        types: Sequence[type[BaseException]],
    ) -> None:
        self._watch = watch
        self._runner = runner
        self._definitions = definitions
        self._types = types

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        self._runner.set_worker_level_failure_exception_types([*types, *self._types])

    def prepare_workflow(self, defn: Definition) -> None:
        """The worker that ran the workflow has checked it already."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        real = replace(det, defn=self._definitions[det.defn.name], worker_level_failure_exception_types=self._types)
        code = real.defn.run_fn.__code__
        self._watch.function = SourceLine(code.co_filename, code.co_firstlineno, code.co_name)
        instance: Any = _Instance(self._watch, self._runner.create_instance(real))
        return instance  # type: ignore[no-any-return]


class _Instance:
    """One workflow in its sandbox; all but `activate` is the SDK's own."""

    def __init__(self, watch: Watch, instance: WorkflowInstance) -> None:
        self._watch = watch
        self._instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def activate(self, act: Any) -> Any:
        """One step of the workflow; before it is put away, look where it stands.

        Code that does not let itself be put away is left behind, since the SDK's replayer waits for it for ever.
        """
        if not any(job.HasField("remove_from_cache") for job in act.jobs):
            self._watch.reached = act.history_length
            return self._instance.activate(act)
        self._watch.look()
        eviction.evict(self._instance, act, EVICT_SECONDS)
        return WorkflowActivationCompletion(run_id=act.run_id)


class _Interceptor(sdk.Interceptor):
    """Tells the watch of a workflow's main task and of what it raises."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def workflow_interceptor_class(
        self,
        input: sdk.WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[sdk.WorkflowInboundInterceptor]:
        watch = self._watch

        class Inbound(sdk.WorkflowInboundInterceptor):
            async def execute_workflow(self, input: sdk.ExecuteWorkflowInput) -> Any:  # noqa: A002
                watch.began(asyncio.current_task())
                try:
                    return await self.next.execute_workflow(input)
                except Exception as error:
                    watch.raised = error
                    watch.stacks = [raised_at(error)]
                    raise

        return Inbound
