"""What a person needs to see when a test fails: each workflow, its status, what it did, where it stands and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..replay.worker_code import WorkerCode
from ..workflows.listing import list_workflows
from .workflow_state import WorkflowState, inspect

if TYPE_CHECKING:
    from ..outage import OutageEvent

OUTAGES = "outages (seconds since the server was ready):"
MOST_WORKFLOWS = 20
RUNNING = "ExecutionStatus = 'Running'"
NOT_COMPLETED = "ExecutionStatus != 'Completed'"
COMPLETED = "ExecutionStatus = 'Completed'"


@dataclass(frozen=True)
class Report:
    """What a namespace holds. `more` says that there are workflows that are not shown.

    `unknown` is why nothing is known of it, where that is so; `outages` are those that the test did.
    """

    namespace: str
    workflows: Sequence[WorkflowState] = ()
    more: bool = False
    ui: str | None = None
    unknown: str | None = None
    outages: Sequence[OutageEvent] = ()

    def to_text(self) -> str:
        """For the terminal."""
        head = f"namespace {self.namespace}" + (f"  {self.ui}" if self.ui else "")
        blocks = [line for each in self.workflows for line in each.lines()] or ["no workflow was started"]
        found = [self.unknown] if self.unknown else [head, *blocks, *self._rest()]
        outages = [OUTAGES, *(f"  {each}" for each in self.outages)] if self.outages else []
        return "\n".join([*found, *outages])

    def to_json(self) -> dict[str, Any]:
        """For programs; moments as RFC 3339."""
        return {**asdict(self), "outages": [{**asdict(each), "at": each.at.isoformat()} for each in self.outages]}

    def properties(self) -> Mapping[str, str]:
        """The gist, as properties of a test in JUnit's form."""
        failures = [f"{each.id}: {each.failure[0]}" for each in self.workflows if each.failure]
        states = [f"{each.id} ({each.type}): {each.status}" for each in self.workflows]
        found = {
            "temporal_namespace": self.namespace,
            "temporal_workflows": "; ".join([*states, *(line.strip() for line in self._rest())]),
            "temporal_failures": "; ".join(failures),
            "temporal_ui": self.ui or "",
        }
        return {key: value for key, value in found.items() if value}

    def _rest(self) -> list[str]:
        return [f"... and more than {MOST_WORKFLOWS} workflows"] if self.more else []


async def gather(client: Client, ui: str | None, codes: Sequence[WorkerCode]) -> Report:
    """Look at the workflows of the namespace, first at those that did not complete."""
    keys, more = await _first(client, (NOT_COMPLETED, COMPLETED))
    link = f"{ui}/namespaces/{client.namespace}/workflows" if ui else None
    states = await _inspect(client, keys, codes, link)
    return Report(client.namespace, states, more, link)


async def open_workflows(client: Client, codes: Sequence[WorkerCode] = ()) -> str:
    """The state of every open workflow: where it stands, pending activities, their attempts and last failures."""
    keys, more = await _first(client, (RUNNING,))
    states = await _inspect(client, keys, codes, None)
    lines = [line for each in states for line in each.lines(traced=False)]
    rest = [f"... and more than {MOST_WORKFLOWS} workflows"] if more else []
    return "\n".join(["open workflows:", *lines, *rest]) if lines else "no workflow is open"


async def _first(client: Client, queries: Iterable[str]) -> tuple[list[tuple[str, str]], bool]:
    """The first workflows by their ids, and whether there are more; one may change from query to query."""
    found: dict[tuple[str, str], None] = {}
    for query in queries:
        batch: list[tuple[str, str]] = []
        async for each in list_workflows(client, query, 2 * MOST_WORKFLOWS + 1):
            key = (each.execution.workflow_id, each.execution.run_id)
            if key in found:
                continue
            if len(found) + len(batch) == MOST_WORKFLOWS:
                return [*found, *reversed(batch)], True
            batch.append(key)
        found |= dict.fromkeys(reversed(batch))  # lists show the newest first
    return list(found), False


async def _inspect(
    client: Client, keys: Iterable[tuple[str, str]], codes: Sequence[WorkerCode], link: str | None
) -> list[WorkflowState]:
    states = await asyncio.gather(*(inspect(client, *key, codes, link) for key in keys))
    return [each for each in states if each is not None]
