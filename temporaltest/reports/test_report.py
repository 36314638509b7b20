"""The report of a failed test: each workflow with its status, its events, and where its code is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..replay.worker_code import WorkerCode
from ..workflows.listing import list_workflows
from .standalone import StandaloneState, standalone
from .workflow_state import WorkflowState, inspect

if TYPE_CHECKING:
    from ..outage import OutageEvent

OUTAGES = "outages (seconds since the server was ready):"
MAX_WORKFLOWS = 20
RUNNING = "ExecutionStatus = 'Running'"
NOT_COMPLETED = "ExecutionStatus != 'Completed'"
COMPLETED = "ExecutionStatus = 'Completed'"


@dataclass(frozen=True)
class WorkflowReport:
    """The workflows of a test.

    `more` is set if some are not shown; `unknown` is the reason why nothing is known; `full` says that
    the server's database is full; `outages` are those of the test; `standalone`
    are the activities and Nexus operations that no workflow started.
    """

    namespace: str
    workflows: Sequence[WorkflowState] = ()
    more: bool = False
    ui: str | None = None
    unknown: str | None = None
    full: str | None = None
    outages: Sequence[OutageEvent] = ()
    standalone: Sequence[StandaloneState] = ()

    def to_text(self) -> str:
        """The text for the terminal."""
        head = f"namespace {self.namespace}" + (f"  {self.ui}" if self.ui else "")
        blocks = [line for workflow in self.workflows for line in workflow.lines()]
        blocks += [line for one in self.standalone for line in one.lines()]
        blocks = blocks or ["no workflow was started"]
        lines = [self.unknown] if self.unknown else [head, *blocks, *self._rest()]
        outages = [OUTAGES, *(f"  {event}" for event in self.outages)] if self.outages else []
        return "\n".join([*([self.full] if self.full else []), *lines, *outages])

    def to_json(self) -> dict[str, Any]:
        """The report as JSON; times as RFC 3339."""
        return {**asdict(self), "outages": [{**asdict(event), "at": event.at.isoformat()} for event in self.outages]}

    def properties(self) -> Mapping[str, str]:
        """A summary, as properties of a test in JUnit XML."""
        failures = [f"{workflow.id}: {workflow.failure[0]}" for workflow in self.workflows if workflow.failure]
        failures += [f"{one.id}: {one.failure[0]}" for one in self.standalone if one.failure]
        states = [f"{workflow.id} ({workflow.type}): {workflow.status}" for workflow in self.workflows]
        properties = {
            "temporal_namespace": self.namespace,
            "temporal_workflows": "; ".join([*states, *(line.strip() for line in self._rest())]),
            "temporal_failures": "; ".join(failures),
            "temporal_ui": self.ui or "",
        }
        return {key: value for key, value in properties.items() if value}

    def _rest(self) -> list[str]:
        return [f"... and more than {MAX_WORKFLOWS} workflows"] if self.more else []


async def gather(client: Client, ui: str | None, codes: Sequence[WorkerCode]) -> WorkflowReport:
    """The report of the workflows that the client lists; those that did not complete come first."""
    keys, more = await _first(client, (NOT_COMPLETED, COMPLETED))
    link = f"{ui}/namespaces/{client.namespace}/workflows" if ui else None
    states = await _inspect(client, keys, codes, link)
    return WorkflowReport(client.namespace, states, more, link, standalone=await standalone(client))


async def open_workflows(client: Client, codes: Sequence[WorkerCode] = ()) -> str:
    """The state of every open workflow: where its code is, pending activities, their attempts and last failures."""
    keys, more = await _first(client, (RUNNING,))
    states = await _inspect(client, keys, codes, None)
    lines = [line for state in states for line in state.lines(trace=False)]
    rest = [f"... and more than {MAX_WORKFLOWS} workflows"] if more else []
    text = ["open workflows:", *lines, *rest] if lines else ["no workflow is open"]
    return "\n".join([*text, *(line for one in await standalone(client, only_open=True) for line in one.lines())])


async def _first(client: Client, queries: Iterable[str]) -> tuple[list[tuple[str, str]], bool]:
    """The first workflows as (workflow id, run id), and whether there are more; one may match two queries in turn."""
    found: dict[tuple[str, str], None] = {}
    for query in queries:
        batch: list[tuple[str, str]] = []
        async for info in list_workflows(client, query, 2 * MAX_WORKFLOWS + 1):
            key = (info.execution.workflow_id, info.execution.run_id)
            if key in found:
                continue
            if len(found) + len(batch) == MAX_WORKFLOWS:
                return [*found, *reversed(batch)], True
            batch.append(key)
        found |= dict.fromkeys(reversed(batch))  # lists show the newest first
    return list(found), False


async def _inspect(
    client: Client, keys: Iterable[tuple[str, str]], codes: Sequence[WorkerCode], link: str | None
) -> list[WorkflowState]:
    states = await asyncio.gather(*(inspect(client, *key, codes, link) for key in keys))
    return [state for state in states if state is not None]
