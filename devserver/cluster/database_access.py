"""The way to a cluster's own database for faults and for runbooks: past the roles, and past their network."""

from __future__ import annotations

import json
from pathlib import Path

from . import postgres_template
from .declaration import DATABASE
from .folder import ClusterFolder
from .postgres_client import PostgresConnection
from .postgres_server import ADMIN, HOST, PASSWORD, USER
from .postgres_template import SCHEMAS, STORES


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


def schemas_wanted(folder: ClusterFolder) -> dict[str, str]:
    """The versions that the cluster's executable has made for new databases, and wants.

    Raises:
        ClusterUnknown: There is no such cluster.
    """
    made: dict[str, str] = json.loads((Path(folder.read()["template"]) / SCHEMAS).read_text())
    return made


def update_schema(folder: ClusterFolder) -> None:
    """Bring the schema of each database to the version that the executable wants. It may be repeated.

    Raises:
        ClusterUnknown: There is no such cluster.
        ClusterStartFailed: The tool fails, with its last lines.
    """
    executable = Path(folder.read()["executable"])
    password, port = (folder.path / PASSWORD).read_text(), int(address(folder).rpartition(":")[2])
    for store, schema in STORES.items():
        postgres_template.sql(executable, port, password, store, ["update-schema", "--schema-name", schema])
