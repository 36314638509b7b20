"""Lists and descriptions on the real server: over several pages, and with encrypted payloads."""

from __future__ import annotations

import asyncio
import time

import pytest
from temporalio.api.common.v1 import Memo, Payload, Payloads, WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.client import Client

from devserver.schedules import (
    NewSchedule,
    ScheduleRefused,
    ScheduleRow,
    ScheduleSpec,
    create_schedule,
    describe_schedule,
    list_schedules,
)
from devserver.schedules import calls as raw
from tests.helpers.shared_server import SharedServer

LIMIT = 120.0
SECRET = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00\x01")


async def listed(client: Client, count: int, *, query: str = "", limit: int = 1000) -> list[str]:
    """The ids of the schedules, once there are `count`."""
    deadline = time.monotonic() + LIMIT
    rows: list[ScheduleRow] = []
    while len(rows) != count:
        assert time.monotonic() < deadline, rows
        rows = [row async for row in list_schedules(client, query=query, limit=limit)]
    return sorted(row.schedule_id for row in rows)


def test_lists(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All schedules over several pages, at most `limit`, or those that match a filter."""
    monkeypatch.setattr(raw, "PAGE_SIZE", 2)

    async def story() -> None:
        client = await server.connect()
        for name in ("a1", "a2", "a3", "b1", "b2"):
            await create_schedule(
                client, NewSchedule(name, "Report", "reports", ScheduleSpec(crons=("@daily",)), paused=True)
            )
        assert await listed(client, 5) == ["a1", "a2", "a3", "b1", "b2"]
        assert len(await listed(client, 3, limit=3)) == 3
        assert await listed(client, 2, query="ScheduleId STARTS_WITH 'b'") == ["b1", "b2"]
        with pytest.raises(ScheduleRefused, match="invalid query"):
            await listed(client, 1, query="not a filter at all")

    asyncio.run(story())


def test_payloads_that_cannot_be_decoded(server: SharedServer) -> None:
    """Encrypted input and memo are marked; the other fields are there."""

    async def story() -> None:
        client = await server.connect()
        action = NewWorkflowExecutionInfo(
            workflow_id="w",
            workflow_type=WorkflowType(name="Report"),
            task_queue=TaskQueue(name="reports"),
            input=Payloads(payloads=[SECRET]),
        )
        schedule = Schedule(action=ScheduleAction(start_workflow=action), state=ScheduleState(paused=True))
        await raw.ScheduleCalls(client).create("secret", schedule, Memo(fields={"owner": SECRET}))
        found = await describe_schedule(client, "secret")
        assert (found.input, found.memo) == (("(cannot be decoded here)",), {"owner": "(cannot be decoded here)"})
        assert (found.workflow_type, found.spec, found.next_times, found.paused) == ("Report", "never", (), True)

    asyncio.run(story())
