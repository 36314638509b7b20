"""Ports: a reserved port is given to nobody else, and the process on a port in use is named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import psutil
import pytest

from devserver.errors import PortTaken, StartFailed
from devserver.system import ports
from devserver.system.ports import ANY, Reservation, Reservations, describe, listener, reserve, reserve_preferred

HERE = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server((HERE, 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_reserved_port_is_given_to_nobody_else() -> None:
    """A hundred reserved free ports are a hundred different ports."""
    held = [reserve(HERE, ANY, "--port") for _ in range(100)]
    assert len({port.port for port in held}) == 100
    with socket.socket() as other, pytest.raises(OSError, match="already in use"):
        other.bind((HERE, held[0].port))
    for port in held:
        port.release()


def test_the_server_can_listen_while_it_is_reserved() -> None:
    """Between choosing a port and listening on it, no other process can take it."""
    reservation = reserve(HERE, ANY, "--port")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HERE, reservation.port))
        server.listen()
        reservation.release()
        socket.create_connection((HERE, reservation.port)).close()


def test_a_port_just_closed_is_free() -> None:
    """Lingering connections of a stopped server do not make its port unavailable."""
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((HERE, port))
        served, _ = server.accept()
        served.close()  # the server closes first, so its side lingers
        client.close()
    Reservation(HERE, port).release()


def test_a_port_in_use_names_the_process(taken: int) -> None:
    """The error has name, pid and command line, and the option for another port."""
    with pytest.raises(PortTaken) as error:
        reserve(HERE, taken, "--ui-port")
    assert error.value.message == f"cannot listen on {HERE}:{taken}: Address already in use"
    assert error.value.details == (f"held by {describe(os.getpid())}",)
    assert error.value.hint == "stop that process, or choose another port with --ui-port (0 takes any free one)"


def test_a_listener_on_all_addresses() -> None:
    """A process that listens on all addresses is found too."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        assert listener(port) == describe(os.getpid())
        with pytest.raises(PortTaken):
            reserve(HERE, port, "--port")


def test_unknown_process(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission to look (macOS, another user's process) the error names no process."""

    def denied(_: str) -> object:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    with pytest.raises(PortTaken) as error:
        reserve(HERE, taken, "--port")
    assert error.value.details == ("the system does not say which process holds it",)


def test_a_preferred_port(taken: int) -> None:
    """The preferred port is used if it is free, otherwise another one."""
    free = reserve(HERE, ANY, "--port")
    free.release()
    preferred = reserve_preferred(HERE, free.port)
    assert preferred.port == free.port
    preferred.release()
    for other in (reserve_preferred(HERE, taken), reserve_preferred(HERE, None)):
        assert other.port not in (0, taken)
        other.release()


def test_an_address_of_another_machine() -> None:
    """The error is about the address, not about a port in use."""
    with pytest.raises(StartFailed) as error:
        reserve("192.0.2.99", ANY, "--ip")
    assert error.value.message == "cannot listen on 192.0.2.99: Cannot assign requested address"
    assert "an address of this machine" in str(error.value.hint)


def test_a_privileged_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that permission is missing, and suggests another port."""

    def refused(host: str, port: int) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ports, "Reservation", refused)
    with pytest.raises(StartFailed) as error:
        reserve(HERE, 80, "--port")
    assert str(error.value) == (
        "cannot listen on 127.0.0.1:80: Permission denied\n"
        "hint: choose another port with --port (0 takes any free one; ports below 1024 need root)"
    )


def test_reservations_end_with_their_block(taken: int) -> None:
    """If one reservation fails, the others are released."""
    with Reservations(HERE) as reserved:
        first = reserved.take(ANY, None, "--port")
        with pytest.raises(PortTaken):
            reserved.take(taken, None, "--ui-port")
    with socket.socket() as other:
        other.bind((HERE, first))


def test_a_process_that_exits_meanwhile() -> None:
    """A process that exits while it is examined is shown by its pid."""
    assert describe(2**22 + 1) == f"pid {2**22 + 1}"
