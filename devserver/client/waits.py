"""Where an open workflow waits, and which messages it takes: what its worker answers, in any SDK.

All SDKs answer the queries `__stack_trace` and `__temporal_workflow_metadata`:
https://docs.temporal.io/encyclopedia/workflow-message-passing
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest

from ..errors import CannotAsk
from .calls import ServiceCalls
from .rpc_statuses import CANCELLED, DEADLINE_EXCEEDED, FAILED_PRECONDITION, rpc_error

STACK, METADATA = "__stack_trace", "__temporal_workflow_metadata"
# The server first asks the worker that ran the workflow last; if that is gone, another one after ten seconds.
LIMIT = timedelta(seconds=20)
NO_LINE = "the worker's stack trace has no line of the workflow's code"
HandlerKind = Literal["signal", "update", "query"]
LATE = (DEADLINE_EXCEEDED, CANCELLED)
KINDS: Sequence[HandlerKind] = ("signal", "update", "query")

# A frame in the form of each SDK.
PYTHON = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')
GO = re.compile(r"^\t(?P<file>\S+\.go):(?P<line>\d+)")
GO_FUNCTION = re.compile(r"^(?P<function>\S+)\(")
JAVA = re.compile(r"^\s*(?:at )?(?:\S+/)?(?P<function>[\w.$<>]+)\((?P<file>[\w$]+\.(?:java|kt)):(?P<line>\d+)\)")
TYPESCRIPT = re.compile(
    r"^\s*at (?:async )?(?:(?P<function>\S+) (?:\[as \S+\] )?\()?(?P<file>[^()\s]+?):(?P<line>\d+):\d+\)?$"
)
# Where the first line of a coroutine, a thread or a task begins.
BEGINS = re.compile(r"^(coroutine .*:|Stack for <.*|\S+: \(BLOCKED on .*)$")
SDK_FILE = re.compile(
    r"/go\.temporal\.io/|/src/(?:reflect|runtime)/|/temporalio/|/devserver/worker/|/asyncio/|/concurrent/futures/|/threading\.py$|"
    r"/node_modules/|^node:|^<|/lib/python[\d.]+/contextlib\.py$"
)
SDK_FUNCTION = re.compile(r"^(?:io\.temporal\.|java\.|javax\.|jdk\.|sun\.|kotlin\.|kotlinx\.)")


@dataclass(frozen=True)
class StackFrame:
    """A line of the user's code in which a workflow waits."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f" in {self.function}" if self.function else "")


@dataclass(frozen=True)
class MessageHandler:
    """A signal, update or query that a workflow takes now; `description` is empty if it has none."""

    kind: HandlerKind
    name: str
    description: str = ""


@dataclass(frozen=True)
class WorkflowWaits:
    """Where an open workflow waits and what it takes.

    Attributes:
        stacks: The user's frames of each coroutine that waits, the innermost first.
        handlers: The messages that it takes, without those of the SDK.
        details: Its current details, as its code has set them.
        problem: Why the worker did not say more; empty if it did.
    """

    stacks: Sequence[Sequence[StackFrame]] = ()
    handlers: Sequence[MessageHandler] = ()
    details: str = ""
    problem: str = ""


async def ask_waits(calls: ServiceCalls, execution: WorkflowExecution, *, limit: timedelta = LIMIT) -> WorkflowWaits:
    """Ask the worker of an open workflow, twice. Codecs decode its answers.

    A worker that does not answer within the limit (20 seconds) is no error: `problem` says so.
    """
    calls = _QueryCalls(calls.client)
    try:
        stacks = stacks_of(str(json.loads((await _query(calls, execution, STACK, limit)).data)))
    except (rpc_error(), CannotAsk, ValueError) as error:
        return WorkflowWaits(problem=_reason(error, limit))
    problem = ""
    try:
        metadata = json.loads((await _query(calls, execution, METADATA, limit)).data)
    except (rpc_error(), CannotAsk, ValueError) as error:
        problem, metadata = _reason(error, limit), {}
    if not stacks:
        problem = problem or NO_LINE
    return WorkflowWaits(stacks, list(_handlers(metadata)), str(metadata.get("currentDetails") or ""), problem)


class _QueryCalls(ServiceCalls):
    # Of a workflow whose tasks fail or of a task queue without a worker, and those of a late answer.
    refusals = (*ServiceCalls.refusals, FAILED_PRECONDITION, *LATE)


async def _query(calls: ServiceCalls, execution: WorkflowExecution, name: str, limit: timedelta) -> Payload:
    request = QueryWorkflowRequest(
        namespace=calls.client.namespace, execution=execution, query=WorkflowQuery(query_type=name)
    )
    answer = await calls.call(calls.client.workflow_service.query_workflow, request, timeout=limit)
    payloads = list(answer.query_result.payloads)
    codec = calls.client.data_converter.payload_codec
    if codec is not None:
        payloads = await codec.decode(payloads)
    if not payloads:
        raise ValueError(f"the query {name} has no answer")
    return payloads[0]


def _reason(error: Exception, limit: timedelta) -> str:
    if isinstance(error, rpc_error()):
        late = error.status in LATE
        return f"no worker answered: {f'not within {limit.seconds} s' if late else error.message}"
    return error.message if isinstance(error, CannotAsk) else "the worker's answer cannot be read: is there a codec?"


def _handlers(metadata: dict[str, Any]) -> Iterator[MessageHandler]:
    definition = metadata.get("definition") or {}
    for kind in KINDS:
        for found in definition.get(f"{kind}Definitions") or ():
            name = str(found.get("name") or "")
            if not name.startswith("__"):
                yield MessageHandler(kind, name, str(found.get("description") or ""))


def stacks_of(text: str) -> list[list[StackFrame]]:
    """The user's frames in a stack trace of any SDK, a list for each coroutine that waits elsewhere."""
    stacks: list[list[StackFrame]] = [[]]
    outermost_first = text.startswith("Stack for <")
    function = ""
    for line in text.splitlines():
        if BEGINS.match(line) or not (line.strip() or outermost_first):  # Python has empty lines between frames
            stacks.append([])
            continue
        frame = _frame(line, function)
        found = GO_FUNCTION.match(line)
        function = found["function"] if found else ""
        if frame is not None:
            stacks[-1].append(frame)
    # TypeScript has a stack for each promise, so that one line of code may be in several.
    once = dict.fromkeys(tuple(stack) for stack in stacks if stack)
    return [list(stack)[::-1] if outermost_first else list(stack) for stack in once]


def _frame(line: str, go_function: str) -> StackFrame | None:
    for form in (PYTHON, GO, JAVA, TYPESCRIPT):
        found = form.match(line)
        if found is None:
            continue
        function = go_function if form is GO else found["function"] or ""
        if SDK_FILE.search(found["file"]) or SDK_FUNCTION.match(function):
            return None
        return StackFrame(function, found["file"], int(found["line"]))
    return None
