"""Every test is also a replay test: what ran is replayed against the code that ran it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from temporalio import worker as sdk
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from ..errors import ReplayFailed
from ..workers.daemon_threads import DaemonThreads
from ..workflows.executions import RunHistory
from ..workflows.tracebacks import SourceLine
from .nondeterminism import Divergence, explain, is_unfinished_business
from .watched_replayer import Definition, Watch

KEPT = (
    "workflow_runner",
    "unsandboxed_workflow_runner",
    "workflow_failure_exception_types",
    "debug_mode",
    "build_id",
)
ADVICE = (
    "the same code did other things when it ran again on the same history: look for time, randomness, I/O, state that "
    "outlives a run, or an order that is not fixed (sets, threads) in it"
)


@dataclass(frozen=True)
class Replayed:
    """What became of one replay: `divergence` where it does not replay, `stacks` where its code stood at the end."""

    ran: RunHistory
    divergence: Divergence | None
    stacks: Sequence[Sequence[SourceLine]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Code:
    """The workflows of one worker. `task_queue` is None where it runs whatever has their type.

    `build` is that of the worker's deployment; empty where it has none.
    """

    task_queue: str | None
    kinds: Mapping[str | None, type]
    options: Mapping[str, Any]
    build: str = ""

    def runs(self, ran: RunHistory) -> bool:
        """Whether this worker is one that runs it; a dynamic workflow has no name and runs all."""
        elsewhere = bool(self.build and ran.build) and self.build != ran.build
        known = ran.workflow_type in self.kinds or None in self.kinds
        return known and not elsewhere and self.task_queue in (None, ran.task_queue)

    def kind_of(self, ran: RunHistory) -> type:
        """The class that runs it."""
        return self.kinds[ran.workflow_type if ran.workflow_type in self.kinds else None]


def code_of(worker: sdk.Worker) -> Code:
    """The workflows of a worker.

    Its plugins configure a replayer themselves, so they are given what the worker was made with; what it came to in the
    end are only the things that a test's worker is given by us.
    """
    made, came_to = worker.config(), worker.config(active_config=True)
    client = worker.client.config()
    plugins = [each for each in client["plugins"] if isinstance(each, sdk.Plugin)]
    interceptors = [each for each in client["interceptors"] if isinstance(each, sdk.Interceptor)]
    options: dict[str, Any] = {key: value for key, value in came_to.items() if key in KEPT}
    options["plugins"] = [*plugins, *made.get("plugins", ())]
    options["interceptors"] = [*interceptors, *made.get("interceptors", ())]
    options["namespace"] = client["namespace"]
    options["data_converter"] = client["data_converter"]
    deployment = made.get("deployment_config")
    build = deployment.version.build_id if deployment is not None and deployment.use_worker_versioning else ""
    return Code(worker.task_queue, kinds_of(made.get("workflows", ())), options, build)


def kinds_of(workflows: Iterable[type]) -> dict[str | None, type]:
    """Classes of workflows by the names of their types."""
    return {Definition.must_from_class(each).name: each for each in workflows}


async def replay(code: Code, runs: Sequence[RunHistory]) -> list[Replayed]:
    """Replay the runs, one after the other, in one replayer."""
    watch = Watch()
    options = {**code.options, "plugins": [*code.options.get("plugins", ()), watch]}
    threads = DaemonThreads("temporaltest-replay")
    workflows = list(code.kinds.values())
    replayer = Replayer(workflows=workflows, workflow_task_executor=threads, runtime=_quiet(), **options)

    async def histories() -> AsyncIterator[Any]:
        for ran in runs:
            watch.forget()
            yield ran.history

    done: list[Replayed] = []
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            done.append(_replayed(runs[len(done)], result.replay_failure, watch))
    return done


def _replayed(ran: RunHistory, failure: BaseException | None, watch: Watch) -> Replayed:
    if failure is None or (
        not isinstance(failure, NondeterminismError) and is_unfinished_business(ran.history, watch.reached)
    ):
        return Replayed(ran, None, watch.stacks)
    return Replayed(ran, explain(ran, failure, watch), watch.stacks)


async def replay_all(codes: Sequence[Code], runs: Iterable[RunHistory]) -> list[Replayed]:
    """Replay each run against the code that may have run it, the newest first; one that it agrees with is enough.

    A run that no code here can have run is left out.
    """
    open_ = list(runs)
    done: list[Replayed] = []
    failed: dict[str, Replayed] = {}
    for code in reversed(codes):
        mine = [ran for ran in open_ if code.runs(ran)]
        for each in await replay(code, mine) if mine else ():
            if each.divergence is None:
                done.append(each)
                open_.remove(each.ran)
                failed.pop(each.ran.run_id, None)
            else:
                failed.setdefault(each.ran.run_id, each)
    return [*done, *failed.values()]


def require(replayed: Iterable[Replayed]) -> None:
    """Fail if one of them did not replay.

    Raises:
        ReplayFailed: With the workflow, the nearest event and the line of the workflow's code for each.
    """
    failed = [each.divergence for each in replayed if each.divergence is not None]
    if failed:
        raise ReplayFailed("\n".join([*map(str, failed), ADVICE]))


@cache
def _quiet() -> Runtime:
    """A runtime that logs nothing: what it would say of a failed replay is in the failure."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="OFF")))
