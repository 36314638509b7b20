"""Runs and steps as plain data, in the form that docs/json.md describes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio.api.failure.v1 import Failure

from ..client.failures import failure_line, failure_text
from ..history.failure_facts import failure_facts
from ..history.model import NamedPayloads, Step, WorkflowRun
from ..history.previews import TruncatedPayload, preview
from ..history.relations import Execution

if TYPE_CHECKING:
    from temporalio.converter import DataConverter


def stamp(when: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond."""
    return None if when is None else when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds(time: timedelta | None) -> float | None:
    """A duration in seconds."""
    return None if time is None else round(time.total_seconds(), 6)


async def run_data(run: WorkflowRun, converter: DataConverter) -> dict[str, Any]:
    """The data of a run without its steps."""
    origin, failed = run.origin, run.failed_tasks
    return {
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "first_run_id": run.first_run_id,
        "type": run.type,
        "task_queue": run.task_queue,
        "status": run.status,
        "missing": run.missing,
        "started": stamp(run.started),
        "closed": stamp(run.closed),
        "seconds": seconds(run.took),
        "delay_seconds": seconds(run.delay),
        "begins": stamp(run.begins),
        "cron": run.cron,
        "skipped_seconds": seconds(run.skipped),
        "attempt": run.attempt,
        "origin": {
            "how": origin.how,
            "run_id": origin.run_id or None,
            "event_id": origin.event_id or None,
            "by": origin.by,
            "reason": origin.reason,
            "schedule_id": origin.schedule_id or None,
            "parent": _execution(origin.parent),
            "caller": _execution(origin.caller),
        },
        "next": None if run.next is None else {"how": run.next.how, "run_id": run.next.run_id},
        "input": await _values(run.input, converter),
        "result": await _values(run.result, converter),
        "memo": await _named(run.memo, converter),
        "search_attributes": await _named(run.search_attributes, converter),
        "summary": await preview(run.summary, converter) if run.summary else "",
        "details": await preview(run.details, converter) if run.details else "",
        "reason": run.reason,
        **await _failure(run.failure, converter, run.retry_state),
        "failed_tasks": failed.count,
        "workers": list(run.identities),
        "builds": list(run.builds),
        "versioning": run.versioning,
        "events": run.events,
    }


async def step_data(step: Step, converter: DataConverter) -> dict[str, Any]:
    """The data of a step."""
    operation = step.operation
    return {
        "kind": step.kind,
        "name": step.name,
        "id": step.id,
        "status": step.status,
        "event_id": step.event_id,
        "started_event_id": step.event_ids[0] or None,
        "closed_event_id": step.event_ids[1] or None,
        "scheduled": stamp(step.scheduled),
        "started": stamp(step.started),
        "closed": stamp(step.closed),
        "seconds": seconds(step.took),
        "timer_seconds": seconds(step.duration),
        "attempts": step.attempts,
        "next_retry": stamp(step.next_retry),
        "reason": step.reason,
        **await _failure(step.failure, converter, step.retry_state),
        "task_queue": step.queue,
        "identity": step.identity,
        "target": _execution(step.target),
        "nexus": operation and {"endpoint": operation.endpoint, "service": operation.service, "name": operation.name},
        "input": await _values(step.input, converter),
        "result": await _values(step.result, converter),
        "note": await preview(step.note, converter) if step.note else "",
        "heartbeat": await _values(step.heartbeat, converter),
        "values": await _named(step.values, converter),
    }


async def _named(named: NamedPayloads, converter: DataConverter) -> dict[str, str]:
    return {name: await preview(values, converter) for name, values in named}


def _execution(execution: Execution | None) -> dict[str, str | None] | None:
    if execution is None:
        return None
    return {
        "workflow_id": execution.workflow_id,
        "run_id": execution.run_id or None,
        "namespace": execution.namespace or None,
    }


async def _values(payloads: Sequence[TruncatedPayload], converter: DataConverter) -> list[str]:
    return [await preview([payload], converter) for payload in payloads]


async def _failure(failure: Failure | None, converter: DataConverter, retry_state: str) -> dict[str, Any]:
    if failure is None:
        none: dict[str, Any] = {"last_failure": None, "failure": [], "failure_details": [], "non_retryable": None}
        return {**none, "retry_state": retry_state or None, "next_retry_delay": None}
    text, facts = await failure_text(failure, converter), await failure_facts(failure, converter, retry_state)
    return {
        "last_failure": await failure_line(failure, converter),
        "failure": list(text.lines),
        "failure_details": list(facts.details),
        "non_retryable": facts.non_retryable,
        "retry_state": facts.retry_state or None,
        "next_retry_delay": seconds(facts.next_retry_delay),
    }
