"""Finds what came due while no server ran on a database, and gives it more time where a start would do harm."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from uuid import UUID

from ..config.option_values import SYSTEM_NAMESPACE
from ..errors import DatabaseError
from .header import read_header, sidecar, size_of
from .overdue import SHORT_OUTAGE, Overdue
from .protobuf import Message
from .sqlite import connect
from .stored_schedules import stored_schedules
from .timer_tasks import (
    ACTIVITY_RETRY,
    CHASM,
    CHASM_PURE,
    DELETE_HISTORY,
    EXECUTION_TIMEOUT,
    RUN_TIMEOUT,
    USER_TIMER,
    WORKFLOW_BACKOFF,
    TimerTask,
    move,
    timer_tasks,
)

OWN_WORKFLOWS = "temporal-sys-"


class StoppedDatabase:
    """The timer tasks and schedules of a database file that no server uses."""

    def __init__(self, db: Path, *, now: float | None = None) -> None:
        self._db = db
        self._now = time.time() if now is None else now
        # Reading does not roll back a journal that a crash left.
        with _decoded(db), connect(db, "rw" if size_of(sidecar(db, "-journal")) else "ro") as connection:
            self._names = _namespaces(connection)
            self._deletions = _deletions(connection, self._names, timer_tasks(connection, self._now))
            self._schedules = [
                schedule for namespace_id in self._names for schedule in stored_schedules(connection, namespace_id)
            ]
            self._waiting = _waiting(connection, self._names, self._now - SHORT_OUTAGE)

    def overdue(self) -> Overdue:
        """What is overdue."""
        found = (
            schedule.overdue(self._names[schedule.namespace_id], self._now, SHORT_OUTAGE)
            for schedule in self._schedules
        )
        shown = (task for task in self._deletions if not task.workflow_id.startswith(OWN_WORKFLOWS))
        return Overdue(
            retained=dict(Counter(self._names[task.namespace_id] for task in shown)),
            schedules=tuple(sorted((each for each in found if each), key=lambda each: each.since)),
            timers=self._waiting["timers"],
            retries=self._waiting["retries"],
            timeouts=self._waiting["timeouts"],
        )

    def postpone_deletions(self, seconds: float) -> None:
        """Keep the closed workflows that a server would delete at once, for `seconds` from now.

        A longer retention of the namespace does not help them: the server looks only at the time of its timer task.
        """
        if self._deletions:
            with connect(self._db) as connection:
                move(connection, self._deletions, self._now + seconds)

    def hold_schedules(self, seconds: float) -> list[tuple[str, str]]:
        """Keep schedules from waking up by themselves for `seconds`, so that a client can pause them first.

        Not for longer than needed: one that is unpaused acts only when this time is over, because the server gives a
        workflow's next timer no task while it has one for an earlier timer.

        Returns:
            The namespace and id of each schedule that is not paused.
        """
        runs = {schedule.run_id for schedule in self._schedules}
        until = time.time() + seconds
        with _decoded(self._db), connect(self._db) as connection:
            tasks = timer_tasks(connection, until)
            move(connection, [task for task in tasks if task.run_id in runs and task.kind in _OF_SCHEDULES], until)
        return [(self._names[schedule.namespace_id], schedule.schedule_id) for schedule in self._schedules]


def keep_closed(db: Path, seconds: float) -> None:
    """Keep closed workflows for at least `seconds`; a start reports the overdue ones and keeps them itself.

    Raises:
        DatabaseError: The file cannot be read or written.
    """
    now = time.time()
    with _decoded(db), connect(db) as connection:
        soon = timer_tasks(connection, now + seconds, after=now)
        move(connection, _deletions(connection, _namespaces(connection), soon), now + seconds)


def find_overdue(db: Path, *, now: float | None = None) -> Overdue | None:
    """What came due in a database file that no server uses until `now` (epoch seconds); None if there is none yet.

    Raises:
        DatabaseError: The file cannot be read.
    """
    return StoppedDatabase(db, now=now).overdue() if read_header(db) is not None else None


@contextlib.contextmanager
def _decoded(db: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise DatabaseError(f"cannot read the timer tasks and schedules in the database {db}: {error}") from error


def _namespaces(connection: sqlite3.Connection) -> dict[str, str]:
    """Id -> name, without the server's own namespace."""
    rows = connection.execute("SELECT id, name FROM namespaces WHERE name != ?", (SYSTEM_NAMESPACE,))
    return {str(UUID(bytes=identity)): name for identity, name in rows}


def _deletions(connection: sqlite3.Connection, names: Mapping[str, str], tasks: Iterable[TimerTask]) -> list[TimerTask]:
    """The tasks that delete closed workflows of these namespaces."""
    wanted = (task for task in tasks if task.kind == DELETE_HISTORY and task.namespace_id in names)
    return [task for task in wanted if _next_event(connection, task) is not None]


def _next_event(connection: sqlite3.Connection, task: TimerTask) -> int | None:
    """The number of the next event of the task's run; None if the run was deleted."""
    query = (
        "SELECT next_event_id FROM executions "
        "WHERE shard_id = ? AND namespace_id = ? AND workflow_id = ? AND run_id = ?"
    )
    row = connection.execute(query, task.key).fetchone()
    return row[0] if row else None


def _waiting(connection: sqlite3.Connection, names: Mapping[str, str], before: float) -> Counter[str]:
    """How many open workflows have each kind of task that is due."""
    found: dict[str, set[str]] = defaultdict(set)
    for task in timer_tasks(connection, before):
        if task.namespace_id in names and not task.workflow_id.startswith(OWN_WORKFLOWS):
            for kinds, what, is_pending in _KINDS:
                if task.kind in kinds and is_pending(connection, task):
                    found[what].add(task.workflow_id + task.namespace_id)
    return Counter({what: len(workflows) for what, workflows in found.items()})


def _timer_is_pending(connection: sqlite3.Connection, task: TimerTask) -> bool:
    rows = connection.execute(
        "SELECT data FROM timer_info_maps WHERE shard_id = ? AND namespace_id = ? AND workflow_id = ? AND run_id = ?",
        task.key,
    )
    return any(Message(data).number(2) == task.event_id for (data,) in rows)


def _retry_is_pending(connection: sqlite3.Connection, task: TimerTask) -> bool:
    query = (
        "SELECT data FROM activity_info_maps "
        "WHERE shard_id = ? AND namespace_id = ? AND workflow_id = ? AND run_id = ? AND schedule_id = ?"
    )
    row = connection.execute(query, (*task.key, task.event_id)).fetchone()
    if row is None:
        return False
    activity = Message(row[0])
    return activity.number(17) == task.attempt and activity.number(5) == 0  # the attempt, not started


def _is_delayed(connection: sqlite3.Connection, task: TimerTask) -> bool:
    """Whether the run has nothing but its first event."""
    return _next_event(connection, task) == 2 and _is_open(connection, task)


def _is_open(connection: sqlite3.Connection, task: TimerTask) -> bool:
    query = "SELECT 1 FROM executions_visibility WHERE namespace_id = ? AND workflow_id = ? AND status = 1"
    return connection.execute(query, (task.namespace_id, task.workflow_id)).fetchone() is not None


_OF_SCHEDULES = (USER_TIMER, CHASM_PURE, CHASM)
_KINDS: tuple[tuple[tuple[int, ...], str, Callable[[sqlite3.Connection, TimerTask], bool]], ...] = (
    ((USER_TIMER,), "timers", _timer_is_pending),
    ((WORKFLOW_BACKOFF,), "timers", _is_delayed),
    ((ACTIVITY_RETRY,), "retries", _retry_is_pending),
    ((RUN_TIMEOUT, EXECUTION_TIMEOUT), "timeouts", _is_open),
)
