"""What came due while a server was stopped is reported before it happens, and can be dropped."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from temporalio.client import Client

from devserver.database.stored_schedules import stored_schedules
from devserver.database.timer_tasks import DELETE_HISTORY, server_time, timer_tasks
from devserver.system.paths import Paths
from tests.conftest import Run
from tests.devserver.cli.conftest import StatusOf
from tests.devserver.database.overdue_state import schedule
from tests.helpers.waiting import eventually

MONTH = 30 * 86400
HOUR = 3600


async def make(address: str) -> None:
    """Create a closed workflow and a schedule that acts each second."""
    client = await Client.connect(address)
    await (await client.start_workflow("Any", id="closed", task_queue="nobody")).terminate()
    await client.create_schedule("often", schedule(timedelta(seconds=1)))
    deadline = time.monotonic() + 120
    while (await client.get_schedule_handle("often").describe()).info.num_actions == 0:
        assert time.monotonic() < deadline, "the schedule never acted"
        await asyncio.sleep(0.05)


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    return bytes([number & 0x7F]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def put_away_for_an_hour(db: Path) -> float:
    """Change a stopped database as if an hour had passed; returns when the schedule is due next in truth."""
    with closing(sqlite3.connect(db)) as connection:
        tasks = [task for task in timer_tasks(connection, time.time() + 2 * MONTH) if task.kind == DELETE_HISTORY]
        (row,) = (task.row for task in tasks if task.workflow_id == "closed")
        connection.execute(
            "UPDATE timer_tasks SET visibility_timestamp = ? WHERE rowid = ?", (server_time(time.time()), row)
        )
        (namespace,) = (task.namespace_id for task in tasks if task.workflow_id == "closed")
        (often,) = stored_schedules(connection, namespace)
        (memo,) = connection.execute(
            "SELECT memo FROM executions_visibility WHERE run_id = ?", (often.run_id,)
        ).fetchone()
        for moment in map(int, often.times):
            memo = memo.replace(varint(moment), varint(moment - HOUR))
        connection.execute("UPDATE executions_visibility SET memo = ? WHERE run_id = ?", (memo, often.run_id))
        connection.commit()
    return often.times[0]


def deleted_at(db: Path) -> str:
    """When the server deletes the closed workflow."""
    with closing(sqlite3.connect(db)) as connection:
        tasks = timer_tasks(connection, time.time() + 2 * MONTH)
        (row,) = (task.row for task in tasks if task.kind == DELETE_HISTORY and task.workflow_id == "closed")
        query = "SELECT visibility_timestamp FROM timer_tasks WHERE rowid = ?"
        return str(connection.execute(query, (row,)).fetchone()[0])


def test_a_long_stop(up: Run, devserver: Run, status_of: StatusOf, paths: Paths) -> None:
    """The start after a long stop names what is due, keeps closed workflows, and can drop what schedules missed."""
    db = paths.database("default")
    up()
    assert status_of()["overdue"] is None
    asyncio.run(make(status_of()["address"]))
    devserver("down")
    stopped = datetime.now(timezone.utc)
    due = put_away_for_an_hour(db)
    assert devserver("snapshot", "save", "aged").returncode == 0
    eventually(lambda: time.time() > due)

    def check(overdue: dict[str, Any], notes: str, outcome: str) -> None:
        (often,) = overdue["schedules"]
        assert (often["schedule_id"], often["namespace"], often["exact"]) == ("often", "default", False)
        assert HOUR - 5 < often["missed"] < HOUR + 300
        assert overdue["retained"] == {"default": 1}
        assert "the retention of 1 closed workflow ended while no server was running (default: 1)" in notes
        assert "1 schedule missed actions since " in notes
        assert outcome in notes

    def check_that_nothing_is_lost_or_caught_up() -> None:
        listed = devserver("temporal", "--", "workflow", "list", "-q", "WorkflowId = 'closed'", "-o", "json")
        assert len(json.loads(listed.stdout)) == 1
        described = json.loads(devserver("schedule", "describe", "often", "--json").stdout)
        assert described["paused"] is True
        late = [
            run for run in described["recent"] if datetime.fromisoformat(run["due"].replace("Z", "+00:00")) >= stopped
        ]
        assert late == [], (stopped, described)

    done = up("--pause-schedules", "--json")
    check(json.loads(done.stdout)["overdue"], done.stderr, "; dropping these actions by pausing all schedules")
    check_that_nothing_is_lost_or_caught_up()
    assert status_of()["overdue"] == json.loads(done.stdout)["overdue"]
    assert "--pause-schedules has no effect: the server is running" in up("--pause-schedules").stderr

    done = devserver("snapshot", "restore", "aged", "--yes", "--pause-schedules", "--json")
    check(json.loads(done.stdout)["overdue"], done.stderr, "; dropping these actions by pausing all schedules")
    check_that_nothing_is_lost_or_caught_up()
    devserver("down")
    assert deleted_at(db) > server_time(time.time() + MONTH - HOUR)

    done = devserver("snapshot", "restore", "aged", "--yes", "--json")
    check(json.loads(done.stdout)["overdue"], done.stderr, "; they run at the next start where ")
    refused = devserver("snapshot", "restore", "aged", "--yes", "--pause-schedules")
    assert (refused.returncode, "up --pause-schedules" in refused.stderr) == (1, True)

    up("--name", "fleeting", "--ephemeral")
    done = devserver("snapshot", "restore", "aged", "--from", "default", "--name", "fleeting", "--yes")
    assert "the retention of 1 closed workflow ended" in done.stderr
    listed = devserver(
        "temporal", "--name", "fleeting", "workflow", "list", "-q", "WorkflowId = 'closed'", "-o", "json"
    )
    assert len(json.loads(listed.stdout)) == 1
