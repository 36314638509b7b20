"""Outages of the network: they overlap, and each ends once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devserver import TcpProxy
from devserver.outages import NetworkOutages, OutageLog


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    """A proxy to a server that nobody needs."""
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
    """The directions in which nothing passes."""
    return {direction for direction, road in proxy._links.items() if not road.open.is_set()}


def delays(proxy: TcpProxy) -> dict[str, float]:
    """How long each direction takes."""
    return {direction: road.delay for direction, road in proxy._links.items()}


def test_overlapping_cuts(proxy: TcpProxy, network: NetworkOutages, log: OutageLog) -> None:
    """A direction is open again when the last outage that cuts it has ended, in whatever order they end."""
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
    """Restoring an outage again does nothing, also when another one is in effect."""
    first = network.cut()
    first.restore()
    network.cut()
    first.restore()
    assert cut_directions(proxy) == {"to_server", "to_client"}


def test_latest_delay_counts(proxy: TcpProxy, network: NetworkOutages) -> None:
    """The latest delay counts; after it the one before, and at last the usual latency."""
    network.set_usual_latency(0.004, "to_server")
    outer, inner = network.slow(0.1), network.slow(0.2, "to_server")
    assert delays(proxy) == {"to_server": 0.2, "to_client": 0.1}
    inner.restore()
    assert delays(proxy) == {"to_server": 0.1, "to_client": 0.1}
    outer.restore()
    assert delays(proxy) == {"to_server": 0.004, "to_client": 0.0}


def test_restore_all(proxy: TcpProxy, network: NetworkOutages) -> None:
    """All outages of the network end together."""
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
    """An unknown direction is refused with the known ones, and nothing is cut."""
    with pytest.raises(ValueError, match="both, to_server, to_client"):
        network.cut("up")  # type: ignore[arg-type]
    assert not network.is_cut
