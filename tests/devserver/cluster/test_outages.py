"""Outages by hand: the commands that break PostgreSQL and the way to it, and those that repair; the roles are fake."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.cli.cluster import outage
from devserver.cluster import ClusterControl, database_access, database_links
from devserver.cluster.errors import DatabaseRefused
from tests.devserver.cluster.conftest import SMALL
from tests.devserver.cluster.test_ring import cluster_command
from tests.helpers.checkout import ROOT

pytestmark = pytest.mark.slow


def link_of(control: ClusterControl, member: str) -> tuple[str, int]:
    """Where a member finds the database."""
    stores = json.loads(control.folder.config(member).read_text())["persistence"]["datastores"]
    host, _, port = stores["default"]["sql"]["connectAddr"].partition(":")
    return host, int(port)


def test_the_network_to_the_database(control: ClusterControl) -> None:
    """A cut refuses connections of these members only, the status shows it, and heal ends it."""
    assert set(outage.WAYS) == set(database_links.WAYS)
    cluster = ("--cluster", control.folder.name)
    with control.started(SMALL, proxies=True):
        done = cluster_command("cut", "history", "--how", "refused", *cluster)
        assert done.returncode == 0, done.stderr
        assert "outage: history-1 to the database: cut (refused)" in done.stdout.splitlines()
        assert "hint: end the outage of the network with: devserver cluster heal history-1 history-2" in done.stdout
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(link_of(control, "history-2"), timeout=5)
        socket.create_connection(link_of(control, "matching-1"), timeout=5).close()
        slowed = cluster_command("slow", "matching-1", "--by", "50ms", "--json", *cluster)
        assert json.loads(slowed.stdout)["outages"]["matching-1 to the database"] == "slow by 0.05 s"
        healed = cluster_command("heal", "history", "matching", *cluster)
        assert "outage" not in healed.stdout
        socket.create_connection(link_of(control, "history-2"), timeout=5).close()
        wrong = cluster_command("cut", "postgres", *cluster)
        assert wrong.returncode != 0
        assert "the network between these members and their database cannot be changed" in wrong.stderr
    with control.started(SMALL):
        refused = cluster_command("slow", "history", *cluster)
        assert refused.returncode != 0
        assert "devserver cluster up --proxies" in refused.stderr


def test_the_disk_of_the_database(control: ClusterControl) -> None:
    """It is full until it is freed; the status shows it."""
    cluster = ("--cluster", control.folder.name)
    with control.started(SMALL):
        assert "outage: disk of the database: full" in cluster_command("fill-disk", *cluster).stdout
        with pytest.raises((DatabaseRefused, OSError)), database_access.connect(control.folder) as connection:
            connection.ask("CREATE TABLE grown AS SELECT generate_series(1, 300000)")
        assert "outage" not in cluster_command("free-disk", *cluster).stdout
        control.ask("restart", member="postgres")
        with database_access.connect(control.folder) as connection:
            connection.ask("CREATE TABLE grown AS SELECT generate_series(1, 300000)")


def test_the_connections_of_the_database(control: ClusterControl) -> None:
    """Another client has them all until Ctrl-C."""
    words = [sys.executable, "-m", "devserver", "cluster", "exhaust-connections", "--cluster", control.folder.name]
    with control.started(SMALL):
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("leaking-client has 19")
            with pytest.raises(DatabaseRefused, match=r"\(53300\)"):
                database_access.connect(control.folder, administrator=False)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
        with database_access.connect(control.folder, administrator=False) as connection:
            assert connection.ask("SELECT 1") == [("1",)]


def test_the_schema(control: ClusterControl, roles_folder: Path) -> None:
    """Its version is set back, and the server's own tool is asked to update it."""
    cluster = ("--cluster", control.folder.name)
    with control.started(SMALL):
        for store in ("temporal", "temporal_visibility"):
            with database_access.connect(control.folder) as connection:
                connection.ask(f"CREATE DATABASE {store}")
            with database_access.connect(control.folder, store) as connection:
                connection.ask("CREATE TABLE schema_version (curr_version text)")
                connection.ask("INSERT INTO schema_version VALUES ('1.19')")
        done = cluster_command("schema-behind", *cluster)
        ends = f"devserver cluster update-schema --cluster {control.folder.name} ends it"
        assert done.stdout == f"the schema is 1.18; {ends}\n", done.stderr
        (roles_folder / "sql").unlink(missing_ok=True)
        updated = cluster_command("update-schema", "--json", *cluster)
        assert json.loads(updated.stdout)["schemas"] == {"temporal": "1.18", "temporal_visibility": "1.19"}
        asked = (roles_folder / "sql").read_text().splitlines()
        assert asked[0] == "temporal update-schema --schema-name postgresql/v12/temporal"
        control.ask("kill", member="postgres")
        refused = cluster_command("schema-behind", *cluster)
        assert refused.returncode == 1
        assert f"devserver cluster start --cluster {control.folder.name} postgres" in refused.stderr


def test_a_cluster_that_does_not_run(control: ClusterControl) -> None:
    """Each command says so, with the command that starts it."""
    with control.started(SMALL):
        pass
    for words in (("cut", "history"), ("fill-disk",), ("exhaust-connections",), ("schema-behind",), ("update-schema",)):
        done = cluster_command(*words, "--cluster", control.folder.name)
        assert done.returncode != 0
        assert "is not running" in done.stderr
