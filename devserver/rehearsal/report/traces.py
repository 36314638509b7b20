"""Pages with the traces of rehearsed workflows, next to the report that links to them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from temporalio.client import WorkflowHistory

from ...errors import DevServerError
from ...history import SavedHistory, StoredHistories
from ...trace import TraceOptions
from ...trace.page import write_page
from ..scenario.result import RehearsalRun, Result

FOLDER = "traces"
MOST_TRACES = 100  # of one report
MOST_EVENTS = 50_000


async def write_trace(result: Result, folder: Path, number: int) -> str | None:
    """Write the page of a result's workflow, as `traces/0001.html` in the report's folder.

    Returns:
        Its path in that folder; None if nothing ran, if there are too many, or if it cannot be written: the report says
        more of that.
    """
    run = result.run
    if run is None or not run.histories or number > MOST_TRACES:
        return None
    if sum(len(history.events) for history in run.histories) > MOST_EVENTS:
        return None
    file = folder / FOLDER / f"{number:04}.html"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        await _write(run, file, result.name)
    except (OSError, DevServerError):
        with contextlib.suppress(OSError):
            file.parent.rmdir()  # if it is empty
        return None
    return f"{FOLDER}/{file.name}"


async def _write(run: RehearsalRun, file: Path, name: str) -> None:
    reader = StoredHistories(_saved(run.histories), run.data_converter)
    first = run.histories[0].run_id
    chain = await reader.chain(run.workflow_id, first)
    now = reader.stored.last_event(run.workflow_id)
    await write_page(reader, chain, TraceOptions(), file, where=f"the rehearsal {name}", now=now)


def _saved(histories: Iterable[WorkflowHistory]) -> list[SavedHistory]:
    found = []
    for history in histories:
        begun = history.events[0].workflow_execution_started_event_attributes
        found.append(
            SavedHistory("", history.workflow_id, history.run_id, begun.workflow_type.name, list(history.events))
        )
    return found
