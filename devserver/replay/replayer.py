"""Replays histories against workflow code: one result for each history."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from temporalio import worker as sdk
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from .command_inputs import first_difference
from .daemon_threads import DaemonThreads
from .nondeterminism import Divergence, explain, failed_after_history, was_reset
from .observer import Definition, ReplayObserver
from .source_lines import SourceLine

# Options that a worker and a replayer have in common, taken from a worker as its plugins have configured it.
WORKER_OPTIONS = (
    "workflow_runner",
    "unsandboxed_workflow_runner",
    "workflow_failure_exception_types",
    "debug_mode",
    "build_id",
)

BUILD_ID = "replay"  # without one the SDK hashes the code of all loaded modules, which takes up to a second


@dataclass(frozen=True)
class WorkflowCode:
    """What histories are replayed against.

    Attributes:
        workflows: The classes by the names of their workflow types; a dynamic workflow has the name None.
        options: Options of the SDK's `Replayer`, such as `data_converter` and `interceptors`.
    """

    workflows: Mapping[str | None, type]
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_classes(cls, workflows: Iterable[type], **options: Any) -> WorkflowCode:
        """The code of these classes; a ValueError, if one of them is no workflow."""
        return cls(workflows_by_name(workflows), options)

    @classmethod
    def of_worker(cls, worker: sdk.Worker) -> WorkflowCode:
        """The code of a worker.

        The replayer gets the plugins and interceptors that the worker was created with, because plugins configure a
        replayer themselves; the other options are as the worker's plugins left them.
        """
        created, active = worker.config(), worker.config(active_config=True)
        client = worker.client.config()
        plugins = [plugin for plugin in client["plugins"] if isinstance(plugin, sdk.Plugin)]
        interceptors = [item for item in client["interceptors"] if isinstance(item, sdk.Interceptor)]
        options: dict[str, Any] = {key: value for key, value in active.items() if key in WORKER_OPTIONS}
        options["plugins"] = [*plugins, *created.get("plugins", ())]
        options["interceptors"] = [*interceptors, *created.get("interceptors", ())]
        options["namespace"] = client["namespace"]
        options["data_converter"] = client["data_converter"]
        return cls(workflows_by_name(created.get("workflows", ())), options)

    def has(self, workflow_type: str) -> bool:
        """Whether it runs workflows of this type; a dynamic workflow runs all."""
        return workflow_type in self.workflows or None in self.workflows

    def class_of(self, workflow_type: str) -> type:
        """The class that runs workflows of this type."""
        return self.workflows[workflow_type if workflow_type in self.workflows else None]


@dataclass(frozen=True)
class ReplayResult:
    """The result of one replay.

    Attributes:
        history: The history.
        divergence: Where the code left the history; None if it replays.
        stacks: Where the code was at the end of the history: the user's lines of each task, the innermost last.
    """

    history: WorkflowHistory
    divergence: Divergence | None
    stacks: Sequence[Sequence[SourceLine]] = ()


def workflows_by_name(workflows: Iterable[type]) -> dict[str | None, type]:
    """Workflow classes by the names of their types."""
    return {Definition.must_from_class(workflow).name: workflow for workflow in workflows}


async def replay(
    histories: Sequence[WorkflowHistory], code: WorkflowCode, *, same_code: bool = False
) -> list[ReplayResult]:
    """Replay histories one after the other; one result for each, in the same order.

    A failure of the workflow's code is no divergence if the history does not go further: there it may have failed too.

    Args:
        same_code: The histories are of this very code, so inputs of commands are compared too: those of activities,
            children, signals and Nexus operations, the durations of timers, and results. Other code may change them.
    """

    async def given() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    if not histories:
        return []
    return [result async for result in replay_each(given(), code, same_code=same_code)]


async def replay_each(
    histories: AsyncIterable[WorkflowHistory], code: WorkflowCode, *, same_code: bool = False
) -> AsyncIterator[ReplayResult]:
    """As `replay`, for histories that arrive one by one: each result comes before the next history is asked for."""
    observer = ReplayObserver()
    current = WorkflowHistory("", [])
    options = {
        "build_id": BUILD_ID,
        "workflow_task_executor": DaemonThreads("workflow-replay"),
        **code.options,
        "plugins": [*code.options.get("plugins", ()), observer],
    }
    replayer = Replayer(workflows=list(code.workflows.values()), runtime=_silent_runtime(), **options)

    async def observed() -> AsyncIterator[WorkflowHistory]:
        nonlocal current
        async for history in histories:
            current = history
            observer.reset(history)
            yield history

    async with replayer.workflow_replay_iterator(observed()) as outcomes:
        async for outcome in outcomes:
            result = _result(current, outcome.replay_failure, observer)
            if same_code and result.divergence is None and not was_reset(result.history):
                result = await _compared(result, observer, code)
            yield result


async def _compared(result: ReplayResult, observer: ReplayObserver, code: WorkflowCode) -> ReplayResult:
    converter = code.options.get("data_converter", DataConverter.default)
    difference = await first_difference(observer.commands, result.history, converter)
    if difference is None:
        return result
    return replace(result, divergence=Divergence(result.history, difference.reason, difference.event, ()))


def _result(history: WorkflowHistory, failure: BaseException | None, observer: ReplayObserver) -> ReplayResult:
    open_end = not isinstance(failure, NondeterminismError) and failed_after_history(history, observer.reached)
    divergence = None if failure is None or open_end else explain(history, failure, observer)
    return ReplayResult(history, divergence, observer.stacks)


@cache
def _silent_runtime() -> Runtime:
    """A runtime that logs nothing: the result has what it would log about a failed replay."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="OFF")))
