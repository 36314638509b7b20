"""The database of an instance before its server starts: owned, upgraded, and what came due in it reported and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import DatabaseError
from ..server.spec import ServerSpec

if TYPE_CHECKING:
    from ..database import DatabaseLease, Overdue

OnEvent = Callable[[dict[str, Any]], None]
SPARE_SECONDS = 2.0  # from here until the start, whose limit is the spec's


def own_database(spec: ServerSpec, on_event: OnEvent) -> DatabaseLease:
    """Take the lease of the database, and upgrade the database if this server is newer than the last one.

    Raises:
        DatabaseError: It is in use, or no server of this version can use it.
    """
    from .. import database

    lease = database.DatabaseLease.acquire(spec.database, f"instance {spec.name}")
    try:
        if spec.database.exists():
            database.refuse_users(spec.database)
        database.prepare(
            spec.database,
            executable=spec.executable,
            server_version=spec.server_version,
            upgrade=spec.options.upgrade,
            backups=spec.paths.backups(spec.name),
            schemas=spec.paths.schemas,
            note=lambda text: on_event({"note": text}),
        )
    except BaseException:
        lease.release()
        raise
    return lease


def settle_overdue(spec: ServerSpec, on_event: OnEvent) -> tuple[Overdue | None, list[tuple[str, str]]]:
    """Report what the server will catch up on, and keep the closed workflows that it would delete.

    Call it with the lease of the database held, before the start.

    Returns:
        What is overdue, if there is a database; and the schedules (namespace, id) that the start has to pause.

    Raises:
        DatabaseError: The file cannot be written.
    """
    from .. import database

    if not spec.database.exists():
        return None, []
    try:
        stopped = database.StoppedDatabase(spec.database)
    except DatabaseError as error:
        if spec.pause_schedules:
            raise
        on_event({"warn": f"unknown what came due while the server was not running: {error.message}"})
        return None, []
    overdue = stopped.overdue()
    for line in overdue.lines(spec.options.retention, pausing=spec.pause_schedules):
        on_event({"note": line})
    stopped.postpone_deletions(spec.options.retention)
    return overdue, stopped.hold_schedules(spec.wait + SPARE_SECONDS) if spec.pause_schedules else []
