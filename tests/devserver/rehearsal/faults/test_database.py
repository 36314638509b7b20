"""Faults of the server's database: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.faults import disk
from devserver.rehearsal.scenario.plan import Action
from tests.devserver.rehearsal.conftest import Rehearse, Stand, scene

SECOND = at.activity_starts("step", nth=2)
THIRD = at.activity_starts("step", nth=3)
CARELESS = at.activity_starts("careless_step", nth=2), at.activity_starts("careless_step", nth=3)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three"), expect.replays()]


def test_a_careful_runbook_survives_a_restored_snapshot(rehearse: Rehearse) -> None:
    """Steps acknowledged after the snapshot run again, and a careful step has its effect once."""
    plan = [SECOND.do(faults.snapshot_database()), THIRD.do(faults.restore_database(down=0.2))]
    result = rehearse(scene("steps", "Sure", *plan, expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert [mark.what for mark in result.run.marks if mark.lane == "database"] == [
        "snapshot before",
        "restored as of before",
    ]
    started = [mark.detail["id"] for mark in result.run.marks if mark.what == "ActivityTaskCompleted"]
    assert len(started) > len(set(started)), "an event that was undone, and the one in its place, are both shown"


def test_the_worker_may_stay_when_the_database_is_restored(rehearse: Rehearse) -> None:
    """With `restart_worker=False` the same worker process continues, with the result of a step that was undone."""
    plan = [SECOND.do(faults.snapshot_database()), THIRD.do(faults.restore_database(restart_worker=False))]
    result = rehearse(scene("steps", "Sure", *plan, expect=ONCE[:2]))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert len([mark for mark in result.run.marks if mark.lane == "worker"]) == 1


def test_a_restored_database_shows_a_step_that_repeats_its_effect(rehearse: Rehearse) -> None:
    """The restored server has no record of the second step, and runs it again."""
    second, third = CARELESS
    plan = [second.do(faults.snapshot_database("a")), third.do(faults.restore_database("a"))]
    result = rehearse(scene("steps", "Careless", *plan, expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times" in result.reason


def test_a_lost_runbook_is_detected_at_once(rehearse: Rehearse) -> None:
    """The server does not know the runbook any more; the rehearsal does not wait for its limit of 20 s."""
    result = rehearse(scene("steps", "Sure", SECOND.do(faults.lose_database())))
    assert result.verdict == "fail"
    assert "it is lost: the server no longer knows it" in result.reason
    assert result.run is not None
    assert result.run.status == "lost"


@pytest.mark.parametrize(("workflow", "verdict"), [("Sure", "pass"), ("Careless", "fail")])
def test_a_lost_runbook_is_started_again(rehearse: Rehearse, workflow: str, verdict: str) -> None:
    """A careful runbook does what is left; a careless one repeats everything."""
    moment = SECOND if workflow == "Sure" else CARELESS[0]
    plan = moment.do(faults.lose_database(down=0.1, start_again=True))
    result = rehearse(scene("steps", workflow, plan, expect=ONCE))
    assert result.verdict == verdict, result.reason
    assert result.run is not None
    assert result.run.status == "completed"
    if verdict == "fail":
        assert "step one happened 2 times" in result.reason


def test_moments_of_a_restarted_runbook(rehearse: Rehearse) -> None:
    """Events of the new run count for the moments that are still planned."""
    again = SECOND.do(faults.lose_database(start_again=True))
    result = rehearse(
        scene("steps", "Sure", again, at.event("ActivityTaskCompleted", nth=4).do(faults.reset_network()))
    )
    assert result.verdict == "pass", result.reason


@pytest.mark.parametrize("fault", [faults.lock_database(0.6), faults.fill_disk(0.6)], ids=str)
def test_a_careful_runbook_survives_a_server_that_cannot_write(rehearse: Rehearse, fault: Action) -> None:
    """The runbook continues when the disk has room or the lock is released; the timeline shows the outage."""
    result = rehearse(scene("steps", "Sure", SECOND.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    (mark,) = (mark for mark in result.run.marks if mark.lane == "database")
    assert mark.until is not None
    assert mark.until - mark.at >= 0.6
    assert [line for line in result.run.server_log if "database is locked" in line or "disk I/O error" in line]


@pytest.mark.parametrize("fault", [faults.lock_database(1), faults.fill_disk(1)], ids=str)
def test_a_runbook_with_a_short_timeout_fails(rehearse: Rehearse, fault: Action) -> None:
    """Its steps are not recorded while the server cannot write, so it times out."""
    result = rehearse(scene("steps", "Punctual", SECOND.do(fault)))
    assert result.verdict == "fail"
    assert "too late" in result.reason


def test_a_full_disk_without_effect_is_not_a_pass(rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no write of the server failed, the rehearsal has shown nothing."""
    monkeypatch.setattr("devserver.rehearsal.faults.disk.REFUSED", "words that no server says")
    result = rehearse(scene("steps", "Sure", SECOND.do(faults.fill_disk(0.1))))
    assert result.verdict == "unknown"
    assert "no write of the server failed meanwhile" in result.reason


def test_a_full_disk_under_a_long_log(rehearse: Rehearse, stand: Stand) -> None:
    """The database's writes fail although the server's own log is far longer than SQLite's log may become."""
    with stand.environment.log.open("ab") as log:
        log.write(b"an old line\n" * 500_000)
    result = rehearse(scene("steps", "Sure", SECOND.do(faults.fill_disk(0.6)), expect=ONCE))
    assert result.verdict == "pass", result.reason


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
print("ready", flush=True)
sys.stdin.readline()
try:
    connection.execute("INSERT INTO some VALUES (zeroblob(400000))")
    print("written")
except sqlite3.OperationalError as error:
    print(error)
"""


@pytest.mark.parametrize("checkpoints", [0, 1])
def test_a_full_disk_under_a_log_that_could_be_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoints: int
) -> None:
    """The used part of SQLite's log is no room for new writes, also where the database has all of it already."""
    db, log = tmp_path / "some.db", tmp_path / "log"
    log.touch()
    write = disk._write_something
    left = [checkpoints]

    def write_something(connection: sqlite3.Connection) -> None:
        write(connection)
        if left[0]:
            left[0] -= 1
            connection.execute("PRAGMA wal_checkpoint")

    monkeypatch.setattr("devserver.rehearsal.faults.disk._write_something", write_something)
    with closing(sqlite3.connect(db, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA wal_autocheckpoint=0")
        made.execute("CREATE TABLE some (data)")
        made.execute("INSERT INTO some VALUES (zeroblob(6000000))")
        words = [sys.executable, "-c", WRITER, str(db)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            with disk._full(writer.pid, db, log):
                assert writer.communicate("go\n", timeout=60)[0] == "disk I/O error\n"


def test_a_disk_that_cannot_be_filled(rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not allow this fault, the verdict is unknown, with the reason."""
    monkeypatch.setattr("devserver.rehearsal.faults.disk.sys", SimpleNamespace(platform="darwin"))
    result = rehearse(scene("steps", "Sure", SECOND.do(faults.fill_disk(1))))
    assert result.verdict == "unknown"
    assert "fill_disk needs Linux" in result.reason


def test_restore_before_snapshot(rehearse: Rehearse) -> None:
    """A plan that restores before it takes the snapshot restores nothing, and the verdict says why."""
    plan = [SECOND.do(faults.restore_database()), THIRD.do(faults.snapshot_database())]
    result = rehearse(scene("steps", "Sure", *plan))
    assert result.verdict == "unknown"
    assert "the snapshot before has not been made yet" in result.reason


def test_restore_without_snapshot_is_refused(rehearse: Rehearse) -> None:
    """A plan that restores and takes no snapshot does not start."""
    with pytest.raises(ScenarioInvalid, match="restores the snapshot 'monday' but never makes it"):
        rehearse(scene("steps", "Sure", SECOND.do(faults.restore_database("monday"))), fresh=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from devserver.rehearsal.faults.disk import _locker
print(_locker(Path(sys.argv[1])).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_rehearsal_releases_its_lock(tmp_path: Path) -> None:
    """kill -9 of the rehearsal leaves no process that locks the database."""
    file = tmp_path / "some.db"
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("create table some (number)")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file)], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    pid = int(killed.stdout)
    if psutil.pid_exists(pid):
        psutil.Process(pid).wait(10)
    with closing(sqlite3.connect(file, timeout=5)) as free, free:
        free.execute("insert into some values (1)")


def test_a_database_that_cannot_be_locked(rehearse: Rehearse, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another process holds the lock, the fault is not possible, and the reason is SQLite's."""
    monkeypatch.setattr("devserver.rehearsal.faults.disk.PATIENCE_SECONDS", 0.1)
    plan = SECOND.do(faults.lock_database(0.2))
    locked = "import sqlite3, sys; print('no'); raise sqlite3.OperationalError('database is locked')"
    monkeypatch.setattr(
        "devserver.rehearsal.faults.disk.bound_to_parent", lambda command: [sys.executable, "-c", locked]
    )
    result = rehearse(scene("steps", "Sure", plan))
    assert result.verdict == "unknown"
    assert "cannot lock the database: sqlite3.OperationalError: database is locked" in result.reason


def test_a_lock_that_is_cancelled_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that locks the database ends, also if the rehearsal is interrupted before it is ready."""
    db = tmp_path / "t.db"
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE t (x)")
    started: list[subprocess.Popen[str]] = []
    begun, cancelled = threading.Event(), threading.Event()
    real = disk._locker

    def slow(path: Path) -> subprocess.Popen[str]:
        begun.set()
        assert cancelled.wait(60)
        started.append(real(path))
        return started[0]

    monkeypatch.setattr(disk, "_locker", slow)

    async def interrupted() -> None:
        starting = asyncio.ensure_future(disk._started(db))
        await asyncio.to_thread(begun.wait, 60)
        starting.cancel()
        asyncio.get_running_loop().call_soon(cancelled.set)
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(interrupted())
    assert started[0].poll() is not None
