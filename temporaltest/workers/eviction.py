"""Ending the workflows that a stopped worker still has in its cache; how each ends is in `devserver.replay`."""

from __future__ import annotations

from typing import Any

from temporalio import worker as sdk
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation, WorkflowActivationJob

from devserver.replay import DaemonThreads, evict, keep_forever, park, release_threads

EVICT_SECONDS = 3.0
ADVICE = (
    "code that catches BaseException in a loop cannot be ended, so a worker never gets rid of it: "
    "catch Exception or asyncio.CancelledError instead"
)
_EVICTION = WorkflowActivationJob(remove_from_cache=RemoveFromCache(message="the worker has stopped"))


def evict_all(worker: sdk.Worker) -> str:
    """End the workflows that a stopped worker still has. Returns a text about one that cannot be ended, or ''.

    After the first such one the others are kept from the garbage collector and left alone.
    """
    cached = _cached(worker)
    while cached:
        run_id, instance = cached.popitem()
        lines = evict(instance, WorkflowActivation(run_id=run_id, jobs=[_EVICTION]), EVICT_SECONDS)
        if lines is not None:
            keep_forever(cached.values())
            place = f"\n  at {lines[0]}" if lines else ""
            return f"the workflow {_name(instance)} cannot be ended{place}\n{ADVICE}"
    return ""


def blocking(worker: sdk.Worker) -> list[str]:
    """The workflows whose code has blocked its thread."""
    return [_name(instance) for instance in _cached(worker).values() if instance.deadlocked_activation_task is not None]


def abandon(worker: sdk.Worker, threads: object) -> None:
    """Leave the workflows of a worker that does not stop alone, and halt their `threads`."""
    keep_forever([*_cached(worker).values()])
    if isinstance(threads, DaemonThreads):
        park(threads)
    else:
        release_threads(threads)


def _cached(worker: sdk.Worker) -> dict[str, Any]:
    """The SDK has no public name for the workflows that its worker has cached."""
    found: dict[str, Any] = getattr(getattr(worker, "_workflow_worker", None), "_running_workflows", {})
    return found


def _name(instance: Any) -> str:
    info = instance.get_info()
    return f"{info.workflow_id} ({info.workflow_type})"
