"""Ids of spans, made of what Temporal itself never changes: so an export that is repeated says the same thing again."""

from __future__ import annotations

from hashlib import sha256


def trace_id(namespace: str, workflow_id: str, first_run_id: str) -> int:
    """128 bits for a tree of workflows: named after its root's id and the first run of the root's chain."""
    return _bits(16, "trace", namespace, workflow_id, first_run_id)


def workflow_span_id(namespace: str, workflow_id: str, first_run_id: str) -> int:
    """64 bits for a workflow over all its runs."""
    return _bits(8, "workflow", namespace, workflow_id, first_run_id)


def run_span_id(run_id: str) -> int:
    """64 bits for one run."""
    return _bits(8, "run", run_id)


def step_span_id(run_id: str, event_id: int) -> int:
    """64 bits for a step: named after the event that opened it."""
    return _bits(8, "step", run_id, str(event_id))


def _bits(size: int, *parts: str) -> int:
    # An id of zero means "none" to OpenTelemetry; no user will ever see this one.
    return int.from_bytes(sha256("\0".join(parts).encode()).digest()[:size], "big") or 1
