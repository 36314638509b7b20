"""Activities that look at the PostgreSQL of a cluster, and repair that of a rehearsal's patient.

With an `address` they work on any PostgreSQL. The password is read from the environment variable that
`password_variable` names, so that it is in no history. With `tls` the certificates that the system trusts count.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from .access import ask, beating, control

if TYPE_CHECKING:
    from ...cluster.postgres_client import PostgresConnection

PROBE_SECONDS = 2.0
PROBE = "SELECT pg_logical_emit_message(true, 'devserver', 'probe')"  # writes to the log of the database, to no table
BY_CLIENT = """SELECT coalesce(nullif(application_name, ''), usename, 'unknown'), count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1"""


@activity.defn
async def database_probe(
    address: str = "",
    user: str = "",
    password_variable: str = "",
    database: str = "temporal",
    deadline: float = PROBE_SECONDS,
    tls: bool = False,
) -> float:
    """Write something to the database, to no table, and wait until it is on its disk; the seconds that it took.

    It finds a database that is dead, frozen, cut off, full or without a free connection, which no health check of
    Temporal's does. Reading would not find a full disk. Idempotent.

    Args:
        address: HOST:PORT of the database; the patient's if empty.
        user: The user.
        password_variable: The environment variable that has the password.
        database: The name of the database.
        deadline: Seconds for the connection, and for each answer.
        tls: Whether to speak TLS.

    Raises:
        ApplicationError: It was not written in time, with the words of the database; retryable.
    """

    def probe() -> float:
        begin = time.monotonic()
        with _connected(address, user, password_variable, database, deadline, tls) as connection:
            connection.ask(PROBE)
        return time.monotonic() - begin

    return await beating(probe)


@activity.defn
async def database_connections(
    address: str = "", user: str = "", password_variable: str = "", tls: bool = False
) -> dict[str, int]:
    """How many connections each client has by its application name, and `max_connections`. It reads, so it may repeat.

    It needs a connection itself: give it a user for whom some are reserved, as they are for superusers.

    Raises:
        ApplicationError: The database cannot be asked; retryable.
    """

    def count() -> dict[str, int]:
        with _connected(address, user, password_variable, "postgres", PROBE_SECONDS, tls) as connection:
            most = connection.ask("SHOW max_connections")[0][0]
            rows = connection.ask(BY_CLIENT)
        return {**{str(name): int(number or 0) for name, number in rows}, "max_connections": int(most or 0)}

    return await beating(count)


@activity.defn
async def end_connections(
    client: str, address: str = "", user: str = "", password_variable: str = "", tls: bool = False
) -> int:
    """End every connection of the client with this application name; how many there were.

    Idempotent: a second run finds those that are new. A client that connects again has them again.

    Raises:
        ApplicationError: The database cannot be asked; retryable.
    """
    quoted = client.replace("'", "''")
    statement = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{quoted}'"  # noqa: S608

    def end() -> int:
        with _connected(address, user, password_variable, "postgres", PROBE_SECONDS, tls) as connection:
            return len(connection.ask(statement))

    return await beating(end)


@activity.defn
async def free_disk() -> None:
    """Give the disk of the patient's database its space back, as if it had been enlarged or cleaned up.

    For your own clusters this is an activity of yours. Idempotent. A database that has ended has to be started.

    Raises:
        ApplicationError: There is no patient (not retryable), or nobody supervises it.
    """
    await ask("free_disk", member="postgres")


@activity.defn
async def schema_versions(
    address: str = "", user: str = "", password_variable: str = "", tls: bool = False, version: str = ""
) -> dict[str, str]:
    """The version of the schema of both databases, and what the server wants: `temporal`, `temporal_visibility`,
    `temporal wanted`, `temporal_visibility wanted`.

    A role whose database is older than it wants does not start; one that runs keeps running. One whose
    database is newer does both. So look before an upgrade. It reads, so it may repeat. With an address the wanted ones
    are missing.

    Args:
        address: HOST:PORT of the database; the patient's if empty.
        user: The user.
        password_variable: The environment variable that has the password.
        tls: Whether to speak TLS.
        version: The version of the server whose wants are given; the patient's if empty.

    Raises:
        ApplicationError: The database cannot be asked; retryable.
    """
    from ...cluster import postgres_template

    def read() -> dict[str, str]:
        if address:
            return postgres_template.schema_versions(address, user, os.environ.get(password_variable, ""), tls=tls)
        from ...cluster import database_access

        folder = control().folder
        return {**database_access.schema_versions(folder), **_wanted(database_access.schemas_wanted(folder, version))}

    return await beating(read)


@activity.defn
async def update_schema(version: str = "") -> None:
    """Bring the schema of the patient's databases to the version that its server wants, with Temporal's schema tool.

    Idempotent, also after it was broken off. For your own clusters, run `temporal-sql-tool update-schema`.

    Args:
        version: The version of the server; the patient's if empty. Servers that run keep running with a newer schema.

    Raises:
        ApplicationError: The tool fails, with its last lines; retryable.
    """
    from ...cluster import database_access

    folder = control().folder
    await beating(lambda: database_access.update_schema(folder, version))


def _wanted(versions: dict[str, str]) -> dict[str, str]:
    return {f"{store} wanted": version for store, version in versions.items()}


def _connected(
    address: str, user: str, password_variable: str, database: str, limit: float, tls: bool
) -> PostgresConnection:
    from ...cluster import database_access
    from ...cluster.postgres_client import PostgresConnection

    if not address:
        return database_access.connect(control().folder, database, limit=limit)
    if password_variable and password_variable not in os.environ:
        raise ApplicationError(f"the variable {password_variable} is not set", non_retryable=True)
    password = os.environ.get(password_variable, "")
    return PostgresConnection(address, user, password, database, limit=limit, tls=tls)
