"""The workers of one test: started at once, watched, stopped within a limit."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from devserver.replay import DaemonThreads, SourceLine, release_threads, shown_path

from ..activities import mocks
from ..activities.call_ledger import CallLedger
from ..errors import SetupError, TemporalTestError, WorkerDied, WorkerStuck
from . import eviction, sandbox
from .running_worker import STOP_SECONDS, RunningWorker, death_text, start_error

Activity = Callable[..., Any]

# Without a build id the SDK hashes the code of all loaded modules, which takes up to a second in each process.
BUILD_ID = "temporaltest"
NO_TYPES = inspect.signature(Worker).parameters["workflow_failure_exception_types"].default


@dataclass
class Workers:
    """The workers of one test.

    Attributes:
        running: Those that were started and not evicted yet.
        ledger: The calls of their activities.
        activities: The names of the activities that they run.
        starting: The event loop and task queue of each worker that was created and does not run yet.
        as_written: Whether workers that the test creates itself keep the options that they were written with.
    """

    running: list[RunningWorker] = field(default_factory=list)
    ledger: CallLedger = field(default_factory=CallLedger)
    activities: set[str] = field(default_factory=set)
    starting: list[tuple[asyncio.AbstractEventLoop, str]] = field(default_factory=list)
    as_written: bool = False

    async def start(
        self,
        client: Client,
        *,
        passthrough: Sequence[str] = (),
        mocked: Mapping[str | Activity, Any] | None = None,
        **options: Any,
    ) -> RunningWorker:
        """Start a worker. `options` are those of the SDK's `Worker`; `prepare` adds the plugin's defaults.

        Raises:
            SetupError: The SDK rejects the workflows or activities, or a mock does not match its activity.
        """
        if mocked:
            activities = options.get("activities", ())
            mocking = mocks.Mocking(mocks.check(mocked, activities), activities, self.ledger)
            options["interceptors"] = [*options.get("interceptors", ()), mocking]
        if passthrough:
            options.setdefault("workflow_runner", sandbox.runner(options.get("workflows", ()), passthrough))
        try:
            worker = Worker(client, **options)
        except (ValueError, TypeError, RuntimeError) as error:
            raise SetupError(start_error(error)) from None
        active_options: Mapping[str, Any] = {**worker.config(active_config=True)}
        running = RunningWorker(worker, asyncio.create_task(worker.run()), active_options)
        self.running.append(running)
        return running

    def prepare(self, config: WorkerConfig) -> None:
        """Set the plugin's defaults for a worker in a test where the test sets nothing; note its activities."""
        runner = config.get("workflow_runner")
        sandboxed = isinstance(runner, SandboxedWorkflowRunner) and runner.restrictions is SandboxRestrictions.default
        if not self.as_written:
            _set_defaults(config, sandboxed=sandboxed)
        elif sandboxed:
            config["workflow_runner"] = sandbox.plain_runner()
        if not any(config.get(name) for name in ("build_id", "use_worker_versioning", "deployment_config", "plugins")):
            config["build_id"] = BUILD_ID
        with contextlib.suppress(RuntimeError):
            self.starting.append((asyncio.get_running_loop(), config.get("task_queue", "")))
        definitions = map(activity._Definition.from_callable, config.get("activities", ()))
        self.activities |= {definition.name for definition in definitions if definition and definition.name}

    def on_run(self, worker: Worker) -> None:
        """A worker starts to run in the current task; note it, if the test created it with the SDK's own class."""
        task = asyncio.current_task()
        with contextlib.suppress(ValueError):
            self.starting.remove((asyncio.get_running_loop(), worker.task_queue))
        if self.as_written:  # an environment of a session may see hundreds
            self.running = [running for running in self.running if not running.task.done()]
        if task is not None and not any(running.worker is worker for running in self.running):
            options: Mapping[str, Any] = {**worker.config(active_config=True)}
            self.running.append(RunningWorker(worker, task, options, external=True))

    def queues_in(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """The task queues of workers that run in this event loop, or are about to."""
        running = [w.task_queue for w in self.running if w.task.get_loop() is loop and not w.task.done()]
        return running + [queue for home, queue in self.starting if home is loop]

    def line_of(self, name: str) -> str:
        """Where the code of an activity is; '' if it is unknown."""
        for function in [f for worker in self.running for f in worker.options.get("activities", ())]:
            definition = activity._Definition.from_callable(function)
            code = getattr(inspect.unwrap(function), "__code__", None)
            if definition is not None and definition.name == name and code is not None:
                return f"{shown_path(code.co_filename)}:{code.co_firstlineno} in {code.co_name}"
        return ""

    def trouble(self) -> TemporalTestError | None:
        """The error for a worker that died, if one did."""
        for running in self.running:
            death = running.death()
            if death is not None:
                running.death_reported = True
                error = WorkerDied(f"the worker on task queue {running.task_queue!r} {death_text(death)}")
                error.__cause__ = death
                return error
        return None

    async def stop(self, limit: float = STOP_SECONDS) -> None:
        """Stop all of them concurrently, within `limit` seconds.

        Raises:
            WorkerStuck: An activity or a workflow does not end; it is left behind in its thread.
            WorkerDied: A worker had died, and no test has failed for it.
        """
        trouble = None if any(running.death_reported for running in self.running) else self.trouble()
        ours = [running for running in self.running if not running.external]
        stopped = await asyncio.gather(*(running.shut_down(limit) for running in ours))
        stuck = [running for running, is_stopped in zip(ours, stopped, strict=True) if not is_stopped]
        if stuck:
            raise WorkerStuck(self._stuck_text(stuck, limit))
        if trouble is not None:
            raise trouble

    def evict(self) -> None:
        """End the workflows that the workers still have; call it after `stop`, outside the event loop.

        Raises:
            WorkerStuck: The code of a workflow cannot be ended.
        """
        workers, self.running = self.running, []
        ended = [worker for worker in workers if worker.task.done() and not worker.stuck]
        for worker in workers:
            if worker not in ended and not worker.external:
                eviction.abandon(worker.worker, worker.options.get("workflow_task_executor"))
                release_threads(worker.options.get("activity_executor"))
        stuck = list(filter(None, [eviction.evict_all(worker.worker) for worker in ended]))
        if stuck:
            raise WorkerStuck("\n".join(stuck))

    def _stuck_text(self, stuck: Sequence[RunningWorker], limit: float) -> str:
        queues = ", ".join(repr(worker.task_queue) for worker in stuck)
        text = f"the worker on task queue {queues} did not stop within {limit:g} s"
        calls = self.ledger.running()
        names = [name for worker in stuck for name in eviction.blocking(worker.worker)]
        if names:
            return "\n  ".join([f"{text}: a workflow blocks its thread; use await in it", *names])
        if not calls:
            return f"{text}: none of its activities or workflows runs, so the server may not answer"
        return "\n  ".join([f"{text}; activities that do not end when they are cancelled:", *map(str, calls)]) + (
            "\nlet a sync activity call activity.heartbeat() or check activity.is_cancelled(), "
            "and let an async activity pass CancelledError on"
        )

    def blocked(self, limit: float, running: Sequence[SourceLine]) -> WorkerStuck:
        """The error for an event loop that has not answered for `limit` seconds; `running` are lines that it runs."""
        if not running:
            return WorkerStuck(
                f"the event loop of this test's workers did not answer within {limit:g} s, and none of your code "
                "blocks it now: the machine may be too busy; raise --temporal-timeout"
            )
        lines = [f"something blocks the event loop of this test's workers for more than {limit:g} s:"]
        lines += [f"{call}" for call in self.ledger.running()]
        lines += [f"at {line}" for line in running]
        return WorkerStuck(
            "\n  ".join(lines) + "\nuse await in it, or make it a plain function, which runs in a thread"
        )


def _set_defaults(config: WorkerConfig, *, sandboxed: bool) -> None:
    # A bug in a workflow fails it at once. By default the server retries its task forever, and the test hangs.
    # An empty list that the test gives is kept: that is how production behaves.
    if config.get("workflow_failure_exception_types", NO_TYPES) is NO_TYPES:
        config["workflow_failure_exception_types"] = [Exception]
    if sandboxed:
        config["workflow_runner"] = sandbox.runner(config.get("workflows", ()))
    if config.get("activity_executor") is None and any(map(_is_sync, config.get("activities", ()))):
        config["activity_executor"] = DaemonThreads("temporaltest-activity")
    if config.get("workflow_task_executor") is None:
        config["workflow_task_executor"] = DaemonThreads("temporaltest-workflow")


def _is_sync(function: Activity) -> bool:
    return not (inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__))
