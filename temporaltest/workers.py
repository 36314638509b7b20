"""Workers in the background loop: started at once, watched, stopped within a limit."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib.util
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import thread as _pool
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from .errors import SetupError, TemporalTestError, WorkerDied, WorkerStuck

STOP_SECONDS = 10.0
PASSED_THROUGH = ("pytest", "_pytest", "pluggy", "temporaltest", "devserver")
THREADS = 32


@dataclass
class RunningWorker:
    """One worker that runs. `options` are those it was made with, for replay."""

    worker: Worker
    task: asyncio.Task[None]
    options: Mapping[str, Any]
    executor: DaemonExecutor | None = None
    stopped: bool = False

    @property
    def task_queue(self) -> str:
        """The task queue it polls."""
        return self.worker.task_queue

    def death(self) -> BaseException | None:
        """Why it ended, if it ended without being asked to."""
        if self.stopped or not self.task.done() or self.task.cancelled():
            return None
        return self.task.exception() or RuntimeError("it was shut down from outside")


class DaemonExecutor(concurrent.futures.ThreadPoolExecutor):
    """Threads for sync activities; one that never ends does not keep the interpreter from ending."""

    def abandon(self) -> None:
        """Wait for no thread, not even when the interpreter ends."""
        self.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            _pool._threads_queues.pop(thread, None)  # type: ignore[attr-defined] # joined at exit otherwise


@dataclass
class Workers:
    """The workers of one test."""

    running: list[RunningWorker] = field(default_factory=list)

    async def start(self, client: Client, *, passthrough: Sequence[str] = (), **options: Any) -> RunningWorker:
        """Start a worker with the SDK's own `options`, ours where none are given.

        Raises:
            SetupError: The SDK refuses the workflows or activities; says why and what to do.
        """
        executor = None
        if "activity_executor" not in options and any(map(_is_sync, options.get("activities", ()))):
            executor = DaemonExecutor(max_workers=THREADS, thread_name_prefix="temporaltest-activity")
            options["activity_executor"] = executor
        # A bug in a workflow fails it at once; by default its task is tried again for ever and the test hangs.
        options.setdefault("workflow_failure_exception_types", [Exception])
        options.setdefault("workflow_runner", _runner(options.get("workflows", ()), passthrough))
        options.setdefault("graceful_shutdown_timeout", timedelta(0))
        try:
            worker = Worker(client, **options)
        except (ValueError, TypeError, RuntimeError) as error:
            raise SetupError(_explained(error)) from error
        running = RunningWorker(worker, asyncio.create_task(worker.run()), options, executor)
        self.running.append(running)
        return running

    def trouble(self) -> TemporalTestError | None:
        """The error for a worker that died, if one did."""
        for each in self.running:
            death = each.death()
            if death is not None:
                error = WorkerDied(f"the worker on task queue {each.task_queue!r} has died: {death!r}")
                error.__cause__ = death
                return error
        return None

    async def stop(self, limit: float = STOP_SECONDS) -> None:
        """Stop all of them, at once, within `limit` seconds.

        Raises:
            WorkerStuck: An activity does not end; it is left behind in its thread.
            WorkerDied: One had died, and nobody had noticed.
        """
        trouble = self.trouble()
        stuck = [each for each in await asyncio.gather(*(_stop(each, limit) for each in self.running)) if each]
        self.running.clear()
        if stuck:
            raise WorkerStuck(
                f"a worker on task queue {', '.join(map(repr, stuck))} did not stop within {limit:g} s: "
                "an activity does not end\n"
                "let it heartbeat (a cancelled activity learns of it that way), or give it a start_to_close_timeout"
            )
        if trouble is not None:
            raise trouble


async def _stop(running: RunningWorker, limit: float) -> str | None:
    running.stopped = True
    try:
        await asyncio.wait_for(asyncio.shield(running.worker.shutdown()), limit)
    except asyncio.TimeoutError:
        running.task.cancel()
        if running.executor is not None:
            running.executor.abandon()
        return running.task_queue
    except Exception:  # noqa: BLE001 - a worker that has died says so in trouble()
        return None
    if running.executor is not None:
        running.executor.shutdown(wait=False)
    return None


def _is_sync(activity: Any) -> bool:
    function: Callable[..., Any] = activity if inspect.isroutine(activity) else type(activity).__call__
    return not inspect.iscoroutinefunction(function)


def _runner(workflows: Sequence[type], passthrough: Sequence[str]) -> SandboxedWorkflowRunner:
    """The sandbox, which imports a workflow's module again: what it cannot import is passed through."""
    through = {*PASSED_THROUGH, *passthrough}
    through |= {kind.__module__ for kind in workflows if not _importable(kind.__module__)}
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*through))


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _explained(error: BaseException) -> str:
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    text = "the worker cannot start: " + "\n  because of ".join(causes)
    if "Restricted" in text or "Failed validating workflow" in text:
        text += (
            "\nthe sandbox imports a workflow's module again, so a module must not do work when it is imported; "
            "move that work into a function, or pass the module through: temporal.worker(..., passthrough=['module'])"
        )
    return text
