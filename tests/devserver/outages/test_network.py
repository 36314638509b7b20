"""Network outages: they may overlap, and each is restored once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devserver import TcpProxy
from devserver.outages import NetworkOutages, OutageLog


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    """A proxy to a server that does not exist."""
    with TcpProxy("127.0.0.1:9") as proxy:
        yield proxy


@pytest.fixture
def log() -> OutageLog:
    """The log of the outages."""
    return OutageLog()


@pytest.fixture
def network(proxy: TcpProxy, log: OutageLog) -> NetworkOutages:
    """The network behind the proxy."""
    return NetworkOutages(proxy, log)


def cut_directions(proxy: TcpProxy) -> set[str]:
    """Return the directions that are cut."""
    return {direction for direction, road in proxy._links.items() if not road.open.is_set()}


def delays(proxy: TcpProxy) -> dict[str, float]:
    """Return the delay of each direction."""
    return {direction: road.delay for direction, road in proxy._links.items()}


def test_overlapping_cuts(proxy: TcpProxy, network: NetworkOutages, log: OutageLog) -> None:
    """A direction is restored when the last outage that cuts it has ended, in any order."""
    both, one_way = network.cut(), network.cut("to_server")
    both.restore()
    assert cut_directions(proxy) == {"to_server"}
    assert network.is_cut
    one_way.restore()
    assert cut_directions(proxy) == set()
    assert [event.what for event in log.events] == [
        *("network cut (both)", "network cut (to server)", "network healed, still cut to server", "network healed"),
    ]


def test_restore_twice(proxy: TcpProxy, network: NetworkOutages) -> None:
    """Restoring an outage again does nothing, also while another one is in effect."""
    first = network.cut()
    first.restore()
    network.cut()
    first.restore()
    assert cut_directions(proxy) == {"to_server", "to_client"}


def test_latest_delay_applies(proxy: TcpProxy, network: NetworkOutages) -> None:
    """The latest delay applies; when it ends, the one before applies again."""
    network.set_usual_latency(0.004, "to_server")
    outer, inner = network.slow(0.1), network.slow(0.2, "to_server")
    assert delays(proxy) == {"to_server": 0.2, "to_client": 0.1}
    inner.restore()
    assert delays(proxy) == {"to_server": 0.1, "to_client": 0.1}
    outer.restore()
    assert delays(proxy) == {"to_server": 0.004, "to_client": 0.0}


def test_restore_all(proxy: TcpProxy, network: NetworkOutages) -> None:
    """All network outages end together."""
    network.cut("to_client")
    network.slow(0.1)
    assert [outage.what for outage in network.active] == ["cut", "slow"]
    network.restore()
    assert network.active == []
    assert cut_directions(proxy) == set()
    assert delays(proxy) == {"to_server": 0.0, "to_client": 0.0}


def test_quiet_outages_are_not_logged(network: NetworkOutages, log: OutageLog) -> None:
    """A quiet cut leaves no line."""
    network.cut(quiet=True).restore()
    assert log.events == ()


def test_unknown_direction(network: NetworkOutages) -> None:
    """An unknown direction is an error that lists the known ones, and nothing is cut."""
    with pytest.raises(ValueError, match="both, to_server, to_client"):
        network.cut("up")  # type: ignore[arg-type]
    assert not network.is_cut
