"""Starts a workflow, and finds out whether a worker polls its task queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    RawValue,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from ..client.calls import CALL_TIMEOUT, ServiceCalls
from .errors import WorkflowCallRefused
from .results import has_poller, refusal
from .targets import CallTarget

ConflictPolicy = Literal["Fail", "UseExisting", "TerminateExisting"]
ReusePolicy = Literal["AllowDuplicate", "AllowDuplicateFailedOnly", "RejectDuplicate"]
CONFLICTS: Mapping[str, WorkflowIDConflictPolicy] = {
    "Fail": WorkflowIDConflictPolicy.FAIL,
    "UseExisting": WorkflowIDConflictPolicy.USE_EXISTING,
    "TerminateExisting": WorkflowIDConflictPolicy.TERMINATE_EXISTING,
}
REUSES: Mapping[str, WorkflowIDReusePolicy] = {
    "AllowDuplicate": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "AllowDuplicateFailedOnly": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    "RejectDuplicate": WorkflowIDReusePolicy.REJECT_DUPLICATE,
}


@dataclass(frozen=True)
class WorkflowStartOptions:
    """The options of a workflow start. The values of `search_attributes` and `memo` are as JSON has them."""

    workflow_id: str
    task_queue: str
    id_conflict_policy: ConflictPolicy = "Fail"
    id_reuse_policy: ReusePolicy = "AllowDuplicate"
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None
    task_timeout: timedelta | None = None
    start_delay: timedelta | None = None
    cron: str | None = None
    memo: Mapping[str, Any] = field(default_factory=dict)
    search_attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StartedWorkflow:
    """A running workflow. `polled`: a worker polls its task queue; `existing`: it was running before."""

    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    polled: bool
    existing: bool
    handle: WorkflowHandle[Any, Any] = field(repr=False)


async def start(
    client: Client, called: CallTarget, arguments: Sequence[Any], options: WorkflowStartOptions
) -> StartedWorkflow:
    """Start a workflow.

    Raises:
        WorkflowCallRefused: The workflow id is in use, or the server refuses.
        CannotAsk: The server does not answer.
    """
    calls = ServiceCalls(client)
    polled = await has_poller(calls, options.task_queue)
    before = await calls.describe_workflow(options.workflow_id) if options.id_conflict_policy == "UseExisting" else None
    kind = str(called.type)
    attributes = _typed(options.search_attributes)
    try:
        handle: WorkflowHandle[Any, Any] = await client.start_workflow(
            kind,
            args=arguments,
            id=options.workflow_id,
            task_queue=options.task_queue,
            result_type=RawValue,
            execution_timeout=options.execution_timeout,
            run_timeout=options.run_timeout,
            task_timeout=options.task_timeout,
            start_delay=options.start_delay,
            cron_schedule=options.cron or "",
            id_conflict_policy=CONFLICTS[options.id_conflict_policy],
            id_reuse_policy=REUSES[options.id_reuse_policy],
            memo=options.memo or None,
            search_attributes=attributes,
            rpc_timeout=CALL_TIMEOUT,
        )
    except WorkflowAlreadyStartedError as error:
        raise await _id_taken(calls, options, error.run_id or "") from None
    except RPCError as error:
        raise refusal(client, error, f"cannot start {kind}") from None
    known = before.workflow_execution_info.execution.run_id if before is not None else None
    run_id = handle.result_run_id or handle.first_execution_run_id or ""
    existing = known is not None and known == run_id
    return StartedWorkflow(handle.id, run_id, kind, options.task_queue, polled, existing, handle)


async def _id_taken(calls: ServiceCalls, options: WorkflowStartOptions, run_id: str) -> WorkflowCallRefused:
    """The error for a workflow id that a run has: what the policy that rejects it is about depends on its status."""
    found = await calls.describe_workflow(options.workflow_id, run_id)
    if found is None or not found.workflow_execution_info.HasField("close_time"):
        return WorkflowCallRefused(
            f"the workflow {options.workflow_id} is already running (run {run_id})",
            hint="choose another --workflow-id, or use --id-conflict-policy UseExisting or TerminateExisting",
        )
    return WorkflowCallRefused(
        f"the workflow id {options.workflow_id} was used before (run {run_id}), which "
        f"--id-reuse-policy {options.id_reuse_policy} rejects",
        hint="choose another --workflow-id, or use --id-reuse-policy AllowDuplicate",
    )


def _typed(values: Mapping[str, Any]) -> TypedSearchAttributes:
    """Search attributes for the SDK. The type is a guess: the server knows the attribute by its name.

    Raises:
        WorkflowCallRefused: No search attribute can have such a value.
    """
    pairs = []
    for name, value in values.items():
        make = _KEYS.get(type(value))
        if make is None or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            raise WorkflowCallRefused(
                f"the search attribute {name} cannot be {value!r}",
                hint="use a text, a number, true, false, or a list of texts",
            )
        pairs.append(SearchAttributePair(make(name), value))
    return TypedSearchAttributes(pairs)


_KEYS: Mapping[type, Any] = {
    str: SearchAttributeKey.for_keyword,
    bool: SearchAttributeKey.for_bool,
    int: SearchAttributeKey.for_int,
    float: SearchAttributeKey.for_float,
    list: SearchAttributeKey.for_keyword_list,
}
