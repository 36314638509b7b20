"""What came due while no server ran on a database: found in the file, and kept where a start would delete it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from devserver import database
from devserver.database import Overdue, OverdueSchedule, find_overdue, restore_into, snapshots
from devserver.database.timer_tasks import CHASM_PURE, DELETE_HISTORY, USER_TIMER, server_time, timer_tasks
from devserver.errors import DatabaseError

from . import overdue_state
from .conftest import SERVER
from .servers import WAL, running

DAY = 86400.0
NEWER_SCHEDULER = (
    *("--dynamic-config-value", "history.enableCHASMSchedulerCreation=true"),
    *("--dynamic-config-value", "history.chasmSchedulerCreationRolloutPercent=100"),
)


@pytest.fixture(scope="module")
def state(quick_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with state that comes due later, written by the real server."""
    file = tmp_path_factory.mktemp("overdue") / "temporal.db"
    with running(quick_executable, file, *WAL) as server:
        asyncio.run(overdue_state.make(server.address))
    with running(quick_executable, file, *WAL, *NEWER_SCHEDULER) as server:
        asyncio.run(overdue_state.make_newer(server.address))
    return file


@pytest.fixture
def put_away(state: Path, tmp_path: Path) -> Path:
    """A copy of that database, with its log."""
    folder = tmp_path / "put-away"
    shutil.copytree(state.parent, folder)
    return folder / state.name


def deletions(db: Path) -> dict[str, str]:
    """When the server deletes each workflow that a user has started."""
    with closing(sqlite3.connect(db)) as connection:
        tasks = [task for task in timer_tasks(connection, time.time() + 1000 * DAY) if task.kind == DELETE_HISTORY]
        query = "SELECT visibility_timestamp FROM timer_tasks WHERE rowid = ?"
        return {task.workflow_id: connection.execute(query, (task.row,)).fetchone()[0] for task in tasks}


def test_a_short_stop_is_not_worth_a_line(put_away: Path, tmp_path: Path) -> None:
    """Nothing is overdue soon after a stop, and where there is no database."""
    found = find_overdue(put_away)
    assert found is not None
    assert not found
    assert list(found.lines(60)) == []
    assert find_overdue(tmp_path / "none.db") is None


def test_what_the_server_will_catch_up_on_is_found(put_away: Path) -> None:
    """After two hours, each kind of overdue work is counted, and a schedule is named with its missed actions."""
    found = find_overdue(put_away, now=time.time() + 7200)
    assert found is not None
    assert (found.timers, found.retries, found.timeouts, found.retained) == (2, 1, 1, {})
    assert {each.schedule_id for each in found.schedules} == {"often", "newer"}
    for schedule in found.schedules:
        assert (schedule.namespace, schedule.exact) == ("default", False)
        assert 11 <= schedule.missed <= 13
    assert Overdue.from_json(found.to_json()) == found


def test_closed_workflows_are_kept(put_away: Path) -> None:
    """Those whose retention has ended are counted, and get another period; a second look finds none."""
    later = time.time() + 100 * DAY
    stopped = database.StoppedDatabase(put_away, now=later)
    assert stopped.overdue().retained == {"default": 2}
    stopped.postpone_deletions(30 * DAY)
    assert deletions(put_away) == dict.fromkeys(("closed-0", "closed-1"), server_time(later + 30 * DAY))
    again = find_overdue(put_away, now=later)
    assert again is not None
    assert again.retained == {}


def test_a_restored_snapshot_keeps_its_closed_workflows(put_away: Path, tmp_path: Path) -> None:
    """Closed workflows of a snapshot stay for the whole period; the snapshot itself is unchanged."""
    saved = snapshots.save(put_away, tmp_path / "s", "old", server_version=SERVER)
    before = deletions(put_away)
    restore_into(saved, put_away, keep_closed_for=100 * DAY)
    assert set(deletions(put_away).values()) > set()
    assert min(deletions(put_away).values()) > server_time(time.time() + 99 * DAY) > max(before.values())
    assert deletions(saved.database) == before


def test_schedules_do_not_wake_up_before_they_can_be_paused(put_away: Path) -> None:
    """Both schedulers, with a schedule that is due, wait; a paused schedule is left as it is."""
    later = time.time() + 7200
    held = database.StoppedDatabase(put_away, now=later).hold_schedules(7200)
    assert sorted(held) == [("default", "newer"), ("default", "often")]
    with closing(sqlite3.connect(put_away)) as connection:
        due = [
            task.workflow_id
            for task in timer_tasks(connection, time.time() + 7100)
            if task.kind in (USER_TIMER, CHASM_PURE)
        ]
    assert {"temporal-sys-scheduler:often", "newer"}.isdisjoint(due)
    assert "timer" in due


def test_deleted_workflows_are_not_counted(put_away: Path) -> None:
    """The server removes a timer task some time after it has run it: what it has deleted is not overdue."""
    with closing(sqlite3.connect(put_away)) as connection:
        connection.execute("DELETE FROM executions WHERE workflow_id = 'closed-0'")
        connection.commit()
    found = find_overdue(put_away, now=time.time() + 100 * DAY)
    assert found is not None
    assert found.retained == {"default": 1}


def test_an_unknown_format_is_an_error(put_away: Path) -> None:
    """A timer task that cannot be read is reported as an error about the file."""
    with closing(sqlite3.connect(put_away)) as connection:
        connection.execute("UPDATE timer_tasks SET data = x'ffff'")
        connection.commit()
    with pytest.raises(DatabaseError, match="cannot read the timer tasks"):
        find_overdue(put_away, now=time.time() + 100 * DAY)


def test_the_lines_say_what_happens_and_what_helps() -> None:
    """One line for closed workflows, one for timers, one for schedules, of which the first ones are named."""
    since = "2026-11-30T20:02:06Z"
    schedules = tuple(OverdueSchedule("default", f"s\x1b{number}", since, 7, number > 0) for number in range(5))
    found = Overdue(retained={"b": 1, "a": 2}, schedules=schedules, timers=1, retries=0, timeouts=2)
    retained = "the retention of 3 closed workflows ended while no server was running (a: 2, b: 1); "
    retained += "a start keeps them for another 30d"
    named = "5 schedules missed actions since 2026-11-30T20:02:06Z: s?0 in default (about 7), s?1 in default (7), "
    named += "s?2 in default (7) and 2 more; "
    assert list(found.lines(30 * DAY)) == [
        retained,
        "overdue, handled now: timers of 1 workflow, timeouts of 2 workflows",
        named + "they run now where overlap policy and catch-up window allow; --pause-schedules drops them",
    ]
    assert list(found.lines(60, pausing=True))[2] == named + "dropping these actions by pausing all schedules"
    assert "handled at the next start" in list(found.lines(60, now=False))[1]
