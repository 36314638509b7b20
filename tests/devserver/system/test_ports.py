"""Ports: nobody else gets one that we reserved, and whoever holds a taken one is named."""

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
    """A hundred of any free ones are a hundred ports, while they are held."""
    held = [reserve(HERE, ANY, "--port") for _ in range(100)]
    assert len({each.port for each in held}) == 100
    with socket.socket() as other, pytest.raises(OSError, match="already in use"):
        other.bind((HERE, held[0].port))
    for each in held:
        each.release()


def test_the_server_can_listen_while_it_is_reserved() -> None:
    """Between choosing and listening there is no moment in which another process could take it."""
    reservation = reserve(HERE, ANY, "--port")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HERE, reservation.port))
        server.listen()
        reservation.release()
        socket.create_connection((HERE, reservation.port)).close()


def test_a_port_just_left_is_free() -> None:
    """Connections that linger after a server's end do not make its port taken."""
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((HERE, port))
        served, _ = server.accept()
        served.close()  # the server closes first, so its side lingers
        client.close()
    Reservation(HERE, port).release()


def test_a_taken_port_names_who_holds_it(taken: int) -> None:
    """Name, pid and command line, and the option that takes another."""
    with pytest.raises(PortTaken) as error:
        reserve(HERE, taken, "--ui-port")
    assert error.value.message == f"cannot listen on {HERE}:{taken}: Address already in use"
    assert error.value.details == (f"held by {describe(os.getpid())}",)
    assert error.value.hint == "stop that process, or choose another port with --ui-port (0 takes any free one)"


def test_one_who_listens_everywhere_holds_it_too() -> None:
    """Whoever listens on all addresses is found."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        assert listener(port) == describe(os.getpid())
        with pytest.raises(PortTaken):
            reserve(HERE, port, "--port")


def test_where_the_system_does_not_tell(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to look (macOS, another user's process) it is said that nobody is named."""

    def denied(_: str) -> object:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    with pytest.raises(PortTaken) as error:
        reserve(HERE, taken, "--port")
    assert error.value.details == ("the system does not say which process holds it",)


def test_a_preferred_port_gives_way(taken: int) -> None:
    """It is taken where it is free, and another one where it is not."""
    free = reserve(HERE, ANY, "--port")
    free.release()
    preferred = reserve_preferred(HERE, free.port)
    assert preferred.port == free.port
    preferred.release()
    for other in (reserve_preferred(HERE, taken), reserve_preferred(HERE, None)):
        assert other.port not in (0, taken)
        other.release()


def test_an_address_that_is_not_this_machines() -> None:
    """No port is blamed for it."""
    with pytest.raises(StartFailed) as error:
        reserve("192.0.2.99", ANY, "--ip")
    assert error.value.message == "cannot listen on 192.0.2.99: Cannot assign requested address"
    assert "an address of this machine" in str(error.value.hint)


def test_a_port_of_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it may not be taken, nobody holds it: another port is the way out."""

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
    """Also when one of them cannot be had: those taken before are free again."""
    with Reservations(HERE) as reserved:
        first = reserved.take(ANY, None, "--port")
        with pytest.raises(PortTaken):
            reserved.take(taken, None, "--ui-port")
    with socket.socket() as other:
        other.bind((HERE, first))


def test_a_process_that_is_gone_is_its_number() -> None:
    """It may end while it is looked at."""
    assert describe(2**22 + 1) == f"pid {2**22 + 1}"
