"""Workers in the background loop: started at once, watched, stopped within a limit."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from ..activities import mocks
from ..activities.call_ledger import Ledger
from ..errors import SetupError, TemporalTestError, WorkerDied, WorkerStuck
from . import eviction, sandbox
from .daemon_threads import DaemonThreads, let_go
from .start_errors import cannot_start, causes

STOP_SECONDS = 10.0
SPARE_SECONDS = 2.0
Activity = Callable[..., Any]


@dataclass
class RunningWorker:
    """One worker that runs; `with` stops it at the end of the block. `options` are those it was made with."""

    worker: Worker
    task: asyncio.Task[Any]
    options: Mapping[str, Any]
    stopped: bool = False
    stuck: bool = False
    # Whether the test has been told of its death: once is enough.
    told: bool = False
    # A worker that the test made itself with the SDK's own class: we know of it, but do not watch and stop it.
    adopted: bool = False

    @property
    def task_queue(self) -> str:
        """The task queue it polls."""
        return self.worker.task_queue

    def death(self) -> BaseException | None:
        """Why it ended, if it ended without being asked to."""
        if self.adopted or self.stopped or not self.task.done():
            return None
        if self.task.cancelled():
            return RuntimeError("its task was cancelled")
        return self.task.exception() or RuntimeError("it was shut down from outside")

    def stop(self) -> None:
        """Stop it now, not at the end of the test: for tests of what happens while no worker runs, or another one.

        Raises:
            WorkerStuck: An activity does not end within ten seconds, or a workflow does not let itself be ended.
        """
        stopping = asyncio.run_coroutine_threadsafe(_stop(self, STOP_SECONDS), self.task.get_loop())
        try:
            stopped = stopping.result(STOP_SECONDS + SPARE_SECONDS)
        except OutOfTime:
            stopped = False
        if not stopped:
            raise WorkerStuck(f"the worker on task queue {self.task_queue!r} did not stop within {STOP_SECONDS:g} s")
        unending = eviction.evict_all(self.worker)
        if unending:
            raise WorkerStuck(unending)

    def __enter__(self) -> RunningWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass
class Workers:
    """The workers of one test, and the ledger of what their activities did."""

    running: list[RunningWorker] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    activities: set[str] = field(default_factory=set)
    # Where workers were made that do not run yet.
    made: list[tuple[asyncio.AbstractEventLoop, str]] = field(default_factory=list)

    async def start(
        self,
        client: Client,
        *,
        passthrough: Sequence[str] = (),
        mocked: Mapping[str | Activity, Any] | None = None,
        **options: Any,
    ) -> RunningWorker:
        """Start a worker with the SDK's own `options`, ours where none are given.

        Raises:
            SetupError: The SDK refuses the workflows or activities, or a mock does not fit; says why and what to do.
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
            raise SetupError(cannot_start(error)) from None
        made_with: Mapping[str, Any] = {**worker.config(active_config=True)}
        running = RunningWorker(worker, asyncio.create_task(worker.run()), made_with)
        self.running.append(running)
        return running

    def prepare(self, config: WorkerConfig) -> None:
        """Fill in what a worker in a test should have where nothing else is said; its activities become known."""
        # A bug in a workflow fails it at once; by default its task is tried again for ever and the test hangs.
        if not config.get("workflow_failure_exception_types"):
            config["workflow_failure_exception_types"] = [Exception]
        runner = config.get("workflow_runner")
        if isinstance(runner, SandboxedWorkflowRunner) and runner.restrictions is SandboxRestrictions.default:
            config["workflow_runner"] = sandbox.runner(config.get("workflows", ()))
        if config.get("activity_executor") is None and any(map(_is_sync, config.get("activities", ()))):
            config["activity_executor"] = DaemonThreads("temporaltest-activity")
        if config.get("workflow_task_executor") is None:
            config["workflow_task_executor"] = DaemonThreads("temporaltest-workflow")
        with contextlib.suppress(RuntimeError):
            self.made.append((asyncio.get_running_loop(), config.get("task_queue", "")))
        found = map(activity._Definition.from_callable, config.get("activities", ()))
        self.activities |= {each.name for each in found if each is not None and each.name}

    def adopt(self, worker: Worker) -> None:
        """Note that a worker begins to run in the current task; those that the test made itself are new to us."""
        task = asyncio.current_task()
        with contextlib.suppress(ValueError):
            self.made.remove((asyncio.get_running_loop(), worker.task_queue))
        if task is not None and not any(each.worker is worker for each in self.running):
            options: Mapping[str, Any] = {**worker.config(active_config=True)}
            self.running.append(RunningWorker(worker, task, options, adopted=True))

    def queues_in(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """The task queues of workers that run in that event loop, or are about to."""
        running = [each.task_queue for each in self.running if each.task.get_loop() is loop and not each.task.done()]
        return running + [queue for home, queue in self.made if home is loop]

    def trouble(self) -> TemporalTestError | None:
        """The error for a worker that died, if one did."""
        for each in self.running:
            death = each.death()
            if death is not None:
                each.told = True
                error = WorkerDied(f"the worker on task queue {each.task_queue!r} has died: {causes(death)}")
                error.__cause__ = death
                return error
        return None

    async def stop(self, limit: float = STOP_SECONDS) -> None:
        """Stop all of them, at once, within `limit` seconds.

        Raises:
            WorkerStuck: An activity or a workflow does not end; it is left behind in its thread.
            WorkerDied: One had died, and nobody had noticed.
        """
        trouble = None if any(each.told for each in self.running) else self.trouble()
        ours = [each for each in self.running if not each.adopted]
        stopped = await asyncio.gather(*(_stop(each, limit) for each in ours))
        stuck = [each for each, is_stopped in zip(ours, stopped, strict=True) if not is_stopped]
        if stuck:
            raise WorkerStuck(self._stuck(stuck, limit))
        if trouble is not None:
            raise trouble

    def evict(self) -> None:
        """End the workflows that the workers have left; call it after `stop`, outside the event loop.

        Raises:
            WorkerStuck: The code of a workflow does not let itself be ended.
        """
        running, self.running = self.running, []
        ended = [each for each in running if each.task.done() and not each.stuck]
        for each in running:
            if each not in ended and not each.adopted:
                eviction.give_up(each.worker, each.options.get("workflow_task_executor"))
                let_go(each.options.get("activity_executor"))
        unending = list(filter(None, [eviction.evict_all(each.worker) for each in ended]))
        if unending:
            raise WorkerStuck("\n".join(unending))

    def _stuck(self, stuck: Sequence[RunningWorker], limit: float) -> str:
        queues = ", ".join(repr(each.task_queue) for each in stuck)
        text = f"the worker on task queue {queues} did not stop within {limit:g} s"
        calls = self.ledger.running()
        names = [name for each in stuck for name in eviction.busy(each.worker)]
        if names:
            return "\n  ".join([f"{text}: a workflow blocks its thread, it should await instead", *names])
        if not calls:
            return f"{text}: none of its activities or workflows runs, so it may be the server that does not answer"
        return "\n  ".join([f"{text}; activities that do not end when they are cancelled:", *map(str, calls)]) + (
            "\nlet a sync activity call activity.heartbeat() or look at activity.is_cancelled(), "
            "and an async one let CancelledError through"
        )

    def blocked(self, limit: float) -> WorkerStuck:
        """The error for an event loop that did not answer within `limit` seconds."""
        lines = [f"something blocks the event loop of this test's workers for more than {limit:g} s:"]
        lines += [str(call) for call in self.ledger.running()] or ["no activity, so an interceptor or a data converter"]
        return WorkerStuck("\n  ".join(lines) + "\nuse await in it, or make it a plain function, which gets a thread")


async def _stop(running: RunningWorker, limit: float) -> bool:
    """Whether it did stop within `limit` seconds."""
    dead, running.stopped = running.task.done(), True
    if dead:  # to shut it down as well waits for ever with an SDK before 1.35
        return True
    try:
        await asyncio.wait_for(running.worker.shutdown(), limit)
    except asyncio.TimeoutError:
        running.task.cancel()
        running.stuck = True
        return False
    return True


def _is_sync(function: Activity) -> bool:
    return not (inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__))
