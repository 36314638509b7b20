"""Replays one history in this process, with a debugger that stops at the workflow's code."""

from __future__ import annotations

import pdb
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar

from temporalio.client import WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner

from ..system.channel import exit_now
from .replayer import ReplayResult, WorkflowCode, replay

P = ParamSpec("P")
T = TypeVar("T")
# What a step of the debugger passes over.
SKIPPED = ("temporalio.*", "devserver.*", "asyncio.*", "concurrent.*", "contextvars", "threading")


class InlineExecutor(ThreadPoolExecutor):
    """A thread pool, as the SDK requires one, that runs each call in the caller's thread, where the debugger is."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` now."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, whatever it is
            future.set_exception(error)
        return future


class WorkflowDebugger(pdb.Pdb):
    """Python's debugger; it runs until the workflow's main function begins, and `quit` ends the process."""

    def __init__(self, code: CodeType) -> None:
        super().__init__(nosigint=True, skip=SKIPPED)
        self._code = code
        self._reached = False
        self.set_break(code.co_filename, code.co_firstlineno, funcname=code.co_name)

    def interaction(self, frame: FrameType | None, *rest: Any) -> None:
        """Ask what to do next, but not before the workflow's code."""
        if not self._reached and (frame is None or frame.f_code is not self._code):
            self.set_continue()
            return
        self._reached = True
        super().interaction(frame, *rest)

    def set_quit(self) -> NoReturn:
        """End the process: an exception would only fail the workflow's code."""
        exit_now(1)


def debug(run: Callable[[Any], ReplayResult], replaying: Any, code: WorkflowCode, workflow_type: str) -> ReplayResult:
    """Run the coroutine `replaying`, with `run`, under a debugger that stops where the workflow begins."""
    main = code.class_of(workflow_type).__temporal_workflow_definition.run_fn.__code__  # type: ignore[attr-defined]
    result = WorkflowDebugger(main).runcall(run, replaying)
    assert result is not None  # noqa: S101 - typeshed lets any call return None
    return result


async def replay_inline(history: WorkflowHistory, code: WorkflowCode) -> ReplayResult:
    """Replay one history in this thread, outside of the sandbox and without limits of time."""
    options = {
        "workflow_runner": UnsandboxedWorkflowRunner(),
        "workflow_task_executor": InlineExecutor(),
        "debug_mode": True,
    }
    [result] = await replay([history], replace(code, options={**code.options, **options}))
    return result
