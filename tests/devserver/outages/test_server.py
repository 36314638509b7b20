"""Outages of a real server: one at a time, and each can be restored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver import DevServer, TcpProxy
from devserver.errors import InstanceNotRunning
from devserver.executables.models import Executable
from devserver.outages import OutageConflict, Outages
from tests.helpers.waiting import eventually


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server for one test."""
    with DevServer.start() as server:
        yield server


@pytest.fixture
def outages(server: DevServer) -> Iterator[Outages]:
    """The outages of that server."""
    with TcpProxy(server.address) as proxy:
        yield Outages(server, proxy)


def test_one_outage_at_a_time(outages: Outages) -> None:
    """A second outage is an error with the current state and what to do; `restore` ends the first."""
    frozen = outages.server.freeze()
    assert str(outages.server.state) == "frozen"
    with pytest.raises(OutageConflict, match="cannot kill the server: it is frozen") as refused:
        outages.server.kill()
    assert refused.value.hint == "thaw it first"
    frozen.restore()
    frozen.restore()
    assert str(outages.server.state) == "running"
    assert [event.what for event in outages.log.events] == ["frozen", "thawed"]


def test_killed_stopped_and_restarted(server: DevServer, outages: Outages) -> None:
    """A killed or stopped server restarts with its state at the same address."""
    address = server.address
    for outage, state in ((outages.server.kill, "killed"), (outages.server.stop, "stopped")):
        active = outage()
        assert (outages.server.state, server.running) == (state, False)
        active.restore()
        assert (outages.server.state, server.running, server.address) == ("running", True, address)


def test_end_restores_everything(server: DevServer, outages: Outages) -> None:
    """At the end everything is restored, and a waiting block returns."""
    outages.network.cut()
    freezing = threading.Thread(target=lambda: outages.block(outages.server.freeze).last(600))
    freezing.start()
    eventually(lambda: len(outages.active) == 2)
    assert outages.end() is None
    freezing.join()
    assert outages.active == ()
    assert outages.ended
    assert server.running


def test_database_replaced(server: DevServer, outages: Outages, tmp_path: Path) -> None:
    """A stopped server gets another or an empty database; a running one keeps its own."""
    with pytest.raises(OutageConflict, match="cannot replace the database of the server: it is running"):
        outages.server.replace_database()
    outages.server.kill()
    copy = tmp_path / "copy.db"
    copy.write_bytes(server.database.read_bytes())
    outages.server.replace_database(copy)
    assert server.database.read_bytes() == copy.read_bytes()
    outages.server.replace_database()
    assert not server.database.exists()


def test_server_that_died_by_itself(server: DevServer, outages: Outages) -> None:
    """A server that died without an outage cannot be killed, but can be restarted."""
    server.kill()
    with pytest.raises(InstanceNotRunning):
        outages.server.kill()
    outages.server.restart()
    assert server.running
