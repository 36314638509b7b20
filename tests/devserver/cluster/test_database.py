"""A cluster's PostgreSQL in its outages, and the client that asks it; the roles are fake."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from devserver.cluster import ClusterControl, ClusterStartFailed, database_access, full_disk
from devserver.cluster.errors import DatabaseRefused
from devserver.cluster.postgres_client import PostgresConnection
from devserver.cluster.postgres_server import USER
from devserver.errors import OptionError
from devserver.rehearsal.patient.held_connections import APPLICATION, HeldConnections
from tests.devserver.cluster.conftest import SMALL
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.slow

PROBE = "SELECT pg_logical_emit_message(true, 'devserver', 'probe')"
GROW = "CREATE TABLE grown AS SELECT generate_series(1, 300000)"


def test_a_database_is_asked(control: ClusterControl) -> None:
    """Rows are text, a refused statement leaves the connection usable, a wrong password is the database's own error;
    connections that another client has used up can be ended.
    """
    with control.started(SMALL):
        with database_access.connect(control.folder) as connection:
            assert connection.ask("SELECT 1, NULL, 'a''b' UNION ALL SELECT 2, 'x', ''") == [
                ("1", None, "a'b"),
                ("2", "x", ""),
            ]
            with pytest.raises(DatabaseRefused, match=r'relation "nothing" does not exist \(42P01\)'):
                connection.ask("SELECT * FROM nothing")
            assert connection.ask("SELECT current_user") == [("postgres",)]
            assert connection.alive
        address = database_access.address(control.folder)
        with pytest.raises(DatabaseRefused, match=r"password authentication failed .* \(28P01\)"):
            PostgresConnection(address, USER, "wrong", "postgres")
        use_up(control)


def use_up(control: ClusterControl) -> None:
    """Another client takes all connections but those of the administrator, who ends them; then it takes no more."""
    held = HeldConnections(control.folder)
    try:
        held.take()
        with pytest.raises(DatabaseRefused, match=r"\(53300\)"):
            database_access.connect(control.folder, administrator=False)
        with database_access.connect(control.folder) as connection:
            ended = connection.ask(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{APPLICATION}'"
            )
        assert len(ended) > 100
        eventually(lambda: held.count == 0)
        with database_access.connect(control.folder, administrator=False) as connection:
            assert connection.ask("SELECT current_user") == [(USER,)]
    finally:
        held.release()


def test_a_patient_is_reset(control: ClusterControl, roles_folder: Path) -> None:
    """Its data and configuration are those of a new cluster, its address stays, outages have ended."""
    with control.started(SMALL, patient=True) as before:
        with database_access.connect(control.folder) as connection:
            connection.ask("CREATE TABLE left_behind (x int)")
        control.folder.dynamic_config.write_text("broken: [")
        control.ask("kill", member="history")
        control.ask("freeze", member="postgres")
        control.ask("cut", member="matching", how="silent")
        status = control.ask("cut", member="worker-1", how="refused")
        assert status["outages"] == {
            "matching-1 to the database": "cut (silent)",
            "worker-1 to the database": "cut (refused)",
        }
        after = control.ask("reset", declaration=SMALL.to_json())
        assert (after["state"], after["outages"], after["address"]) == ("ready", {}, before["address"])
        assert {member["starts"] for member in after["members"]} == {1}
        json.loads(control.folder.dynamic_config.read_text())
        with database_access.connect(control.folder) as connection, pytest.raises(DatabaseRefused):
            connection.ask("SELECT * FROM left_behind")


def test_the_way_to_the_database(control: ClusterControl) -> None:
    """Each role of a patient reaches the database over a port of its own."""
    with control.started(SMALL, patient=True):
        ports = set()
        for member in SMALL.roles.members():
            stores = json.loads(control.folder.config(member).read_text())["persistence"]["datastores"]
            ports.add(stores["default"]["sql"]["connectAddr"])
        assert len(ports) == len(SMALL.roles.members())
        assert database_access.address(control.folder) not in ports
        with pytest.raises(OptionError, match="cannot be cut 'quietly'"):
            control.ask("cut", member="history", how="quietly")


def test_a_full_disk(control: ClusterControl) -> None:
    """Writes fail, the database does not start again, and it does once there is space."""
    with control.started(SMALL):
        control.ask("fill_disk", member="database")
        with pytest.raises((DatabaseRefused, OSError)), database_access.connect(control.folder) as connection:
            connection.ask(GROW)
        control.ask("kill", member="postgres")
        with contextlib.suppress(ClusterStartFailed):  # it may start, and end with its first write
            control.ask("start", member="postgres")
            with pytest.raises((DatabaseRefused, OSError)), database_access.connect(control.folder) as connection:
                connection.ask(GROW)
        assert full_disk.FELT in control.folder.log("postgres").read_text(errors="replace")
        status = control.ask("free_disk", member="postgres")
        assert status["outages"] == {}
        control.ask("restart", member="postgres")
        with database_access.connect(control.folder) as connection:
            connection.ask(GROW)
        with pytest.raises(OptionError, match="only the disk of postgres"):
            control.ask("fill_disk", member="history")
