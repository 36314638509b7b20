"""One worker that runs in the background: whether it has died, and stopping it within a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import dataclass
from typing import Any

from temporalio import activity, workflow
from temporalio.worker import Worker

from ..errors import WorkerStuck
from . import eviction

STOP_SECONDS = 10.0
SPARE_SECONDS = 2.0


class EndedByOtherCode(Exception):
    """Neither the plugin nor an error ended the worker."""


@dataclass
class RunningWorker:
    """One worker that runs; as a `with` block, it stops at the end of the block.

    Attributes:
        worker: The SDK's worker.
        options: The options that it was created with.
        stopped: Whether it was asked to stop.
        stuck: Whether it did not stop within its limit.
        death_reported: Whether a test has failed because of its death; one failure is enough.
        external: Whether the test created it with the SDK's own class: the plugin knows it, but does not stop it.
    """

    worker: Worker
    task: asyncio.Task[Any]
    options: Mapping[str, Any]
    stopped: bool = False
    stuck: bool = False
    death_reported: bool = False
    external: bool = False

    @property
    def task_queue(self) -> str:
        """The task queue that it polls."""
        return self.worker.task_queue

    @property
    def identity(self) -> str:
        """Its name on the server."""
        return self.options.get("identity") or self.worker.client.identity

    def polls(self, kind: str) -> bool:
        """Whether it runs and takes tasks of a kind, named by an option: "workflows", "activities", ..."""
        return bool(self.options.get(kind)) and not self.task.done() and not self.stopped

    def registers(self, kind: str, name: str) -> bool:
        """Whether it has the workflow or activity (`kind` is "workflows" or "activities") of this name."""
        definition: Any = workflow._Definition.from_class if kind == "workflows" else activity._Definition.from_callable
        names = {getattr(definition(item), "name", None) for item in self.options.get(kind, ())}
        return name in names or None in names  # a dynamic one has no name

    def death(self) -> BaseException | None:
        """Why it ended by itself; None if it runs or was asked to stop."""
        if self.external or self.stopped or not self.task.done():
            return None
        if self.task.cancelled():
            return EndedByOtherCode("other code cancelled its task")
        return self.task.exception() or EndedByOtherCode(
            "its run() returned, as other code called shutdown() or a plugin of it returned"
        )

    def stop(self) -> None:
        """Stop it before the end of the test, to see what happens while no worker or another worker runs.

        Raises:
            WorkerStuck: An activity does not end within ten seconds, or a workflow cannot be ended.
        """
        stopping = asyncio.run_coroutine_threadsafe(self.shut_down(STOP_SECONDS), self.task.get_loop())
        try:
            stopped = stopping.result(STOP_SECONDS + SPARE_SECONDS)
        except OutOfTime:
            stopped = False
        if not stopped:
            raise WorkerStuck(f"the worker on task queue {self.task_queue!r} did not stop within {STOP_SECONDS:g} s")
        stuck = eviction.evict_all(self.worker)
        if stuck:
            raise WorkerStuck(stuck)

    async def shut_down(self, limit: float) -> bool:
        """Shut it down in its event loop; whether it did within `limit` seconds."""
        ended, self.stopped = self.task.done(), True
        if ended:  # before 1.35 the SDK waits forever if such a worker is shut down too
            return True
        try:
            await asyncio.wait_for(self.worker.shutdown(), limit)
        except asyncio.TimeoutError:
            self.task.cancel()
            self.stuck = True
            return False
        return True

    def __enter__(self) -> RunningWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def death_text(death: BaseException) -> str:
    """How a worker ended, and what to do where a test may have meant it."""
    if isinstance(death, EndedByOtherCode):
        return f"ended: {death}\nend a worker with its stop() where the test means to"
    return f"died: {causes(death)}"


def causes(error: BaseException) -> str:
    """An error and its causes, one a line."""
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        lines.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return "\n  because of ".join(lines)


def start_error(error: BaseException) -> str:
    """Why the SDK rejects workflows or activities of a worker, and what to do about it."""
    text = f"the worker cannot start: {causes(error)}"
    if "Failed validating workflow" in text:
        text += (
            "\nthe sandbox imports a workflow's module again, so a module must not do work when it is imported: "
            "move that work into a function, or pass the module through: temporal.worker(..., passthrough=['module'])"
        )
    return text
