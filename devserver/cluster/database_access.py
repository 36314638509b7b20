"""The way to a cluster's own database for faults and for runbooks: past the roles, and past their network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.progress import Silent
from . import executable, postgres_template
from .declaration import DATABASE, Cassandra, Cluster
from .errors import ClusterStartFailed, SchemaNotUpdatable
from .folder import ClusterFolder, command
from .postgres_server import ADMIN, HOST, PASSWORD, USER
from .postgres_template import SCHEMAS, STORES

if TYPE_CHECKING:
    from .postgres_client import PostgresConnection


def address(folder: ClusterFolder) -> str:
    """HOST:PORT of the database.

    Raises:
        ClusterUnknown: There is no such cluster.
    """
    return f"{HOST}:{folder.read()['ports'][DATABASE]['grpc']}"


def connect(
    folder: ClusterFolder,
    database: str = "postgres",
    *,
    administrator: bool = True,
    application: str = "devserver",
    limit: float = 5.0,
) -> PostgresConnection:
    """A connection as the administrator, for whom three connections are reserved, or as the user of the roles.

    Raises:
        ClusterUnknown: There is no such cluster.
        DatabaseRefused, OSError: There is no connection.
    """
    from .postgres_client import PostgresConnection  # ssl and hmac: not for the start of a cluster

    password = (folder.path / PASSWORD).read_text()
    user = ADMIN if administrator else USER
    return PostgresConnection(address(folder), user, password, database, application=application, limit=limit)


def schema_versions(folder: ClusterFolder) -> dict[str, str]:
    """The version of the schema of each database.

    Raises:
        ClusterUnknown: There is no such cluster.
        DatabaseRefused, OSError: The database cannot be asked.
    """
    return postgres_template.schema_versions(address(folder), ADMIN, (folder.path / PASSWORD).read_text())


def schemas_wanted(folder: ClusterFolder, version: str = "") -> dict[str, str]:
    """The versions of the schemas that a version of the server (the cluster's) makes for new databases, and wants.

    Raises:
        ClusterUnknown: There is no such cluster.
        ClusterExecutableMissing: That version is not on this machine.
    """
    version, program = _server(folder, version)
    made: dict[str, str] = json.loads(
        (postgres_template.template(program, version, folder.paths, Silent()) / SCHEMAS).read_text()
    )
    return made


def require_schema(folder: ClusterFolder, before: str) -> None:
    """Check that the schemas are not older than the cluster's version of the server wants: no role would start.

    Args:
        folder: The cluster's folder.
        before: The version of the server that ran last.

    Raises:
        ClusterStartFailed: One is older.
    """
    try:
        wanted = schemas_wanted(folder)
    except FileNotFoundError:  # another executable was given than a server's
        return
    found = schema_versions(folder)
    older = [name for name in wanted if _numbers(found[name]) < _numbers(wanted[name])]
    if older:
        version = Cluster.from_json(folder.read()["declaration"]).version
        raise ClusterStartFailed(
            f"the database of the cluster {folder.name} has an older schema than Temporal {version} needs",
            details=[f"{name} has version {found[name]}, and needs {wanted[name]}" for name in older],
            hint=f"start it with --version {before}, and run: {command('update-schema', folder.name)} {version}",
        )


def set_schema_back(folder: ClusterFolder) -> None:
    """Set the version of the schema of the main database one back. Its tables stay.

    Raises:
        ClusterUnknown: There is no such cluster.
        DatabaseRefused, OSError: The database cannot be asked.
    """
    with connect(folder, "temporal") as connection:
        major, _, minor = str(connection.ask("SELECT curr_version FROM schema_version")[0][0]).rpartition(".")
        connection.ask(f"UPDATE schema_version SET curr_version = '{major}.{int(minor) - 1}'")  # noqa: S608


def update_schema(folder: ClusterFolder, version: str = "") -> None:
    """Bring the schema of each database to what a version of the server (the cluster's) wants. It may be repeated.

    Older servers run with the newer schema: it comes first in an upgrade.

    Raises:
        ClusterUnknown: There is no such cluster.
        ClusterExecutableMissing: That version is not on this machine.
        SchemaNotUpdatable: Its tables are in Cassandra.
        ClusterStartFailed: The tool fails, with its last lines.
    """
    if isinstance(Cluster.from_json(folder.read()["declaration"]).database, Cassandra):
        raise SchemaNotUpdatable("only a schema in PostgreSQL can be updated, and this cluster's is in Cassandra")
    _, program = _server(folder, version)
    password, port = (folder.path / PASSWORD).read_text(), int(address(folder).rpartition(":")[2])
    for store, schema in STORES.items():
        postgres_template.sql(program, port, password, store, ["update-schema", "--schema-name", schema])


def _server(folder: ClusterFolder, version: str) -> tuple[str, Path]:
    """A version of the server, that of the cluster if empty, and its executable."""
    record = folder.read()
    own = str(record["declaration"]["version"])
    if version in ("", own):
        return own, Path(record["executable"])
    return version, executable.find(version, folder.paths)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
