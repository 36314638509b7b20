"""Outages of the network between clients and a server: cut, slow, connections reset."""

from __future__ import annotations

import threading
from typing import Any

from ..network.tcp_proxy import DIRECTIONS, Direction, TcpProxy
from .log import OutageLog
from .model import ActiveOutage

ONE_WAY = DIRECTIONS["both"]


class NetworkOutages:
    """The state of the network behind a proxy. Outages overlap: a direction is open when no outage cuts it any more."""

    def __init__(self, proxy: TcpProxy, log: OutageLog) -> None:
        self._proxy = proxy
        self._log = log
        self._lock = threading.RLock()
        self._cuts: dict[ActiveOutage, Direction] = {}
        self._delays: dict[ActiveOutage, tuple[float, Direction]] = {}
        self._usual: dict[Direction, float] = {}
        self._closed: frozenset[Direction] = frozenset()
        self._latency: dict[Direction, float] = dict.fromkeys(ONE_WAY, 0.0)

    @property
    def active(self) -> list[ActiveOutage]:
        """The outages in effect, oldest first."""
        return sorted([*self._cuts, *self._delays], key=lambda outage: outage.since)

    @property
    def is_cut(self) -> bool:
        """Whether nothing passes in at least one direction."""
        return bool(self._cuts)

    def cut(self, direction: Direction = "both", *, quiet: bool = False) -> ActiveOutage:
        """Let nothing pass in a direction. Connections stay open; what was sent arrives after `restore`.

        `quiet` outages are not in the log.

        Raises:
            ValueError: There is no such direction.
        """
        with self._lock:
            self._proxy.cut(direction)
            outage = ActiveOutage("cut", lambda outage: self._remove(self._cuts, outage, quiet=quiet))
            self._cuts[outage] = direction
            self._closed |= {*DIRECTIONS[direction]}
            if not quiet:
                self._log.note(f"network cut ({direction.replace('_', ' ')})")
            return outage

    def slow(self, seconds: float, direction: Direction = "both") -> ActiveOutage:
        """Delay everything by `seconds` in a direction (`both`: each way). The latest of several outages counts."""
        with self._lock:
            outage = ActiveOutage("slow", lambda outage: self._remove(self._delays, outage))
            self._delays[outage] = (seconds, direction)
            self._apply()
            return outage

    def reset(self) -> int:
        """Break every open connection with a TCP reset; returns their number. New connections work."""
        with self._lock:
            count = self._proxy.reset()
            self._log.note(f"{count} connections reset")
            return count

    def set_usual_latency(self, seconds: float, direction: Direction) -> None:
        """The latency of a direction when no outage slows it down."""
        with self._lock:
            self._usual[direction] = seconds
            self._apply()

    def restore(self) -> None:
        """End all outages, the latest first."""
        for outage in reversed(self.active):
            outage.restore()

    def _remove(self, outages: dict[ActiveOutage, Any], outage: ActiveOutage, *, quiet: bool = True) -> None:
        with self._lock:
            if outages.pop(outage, None) is None:
                return
            self._apply()
            if not quiet:
                left = ", ".join(direction.replace("_", " ") for direction in ONE_WAY if direction in self._closed)
                self._log.note("network healed" + (f", still cut {left}" if left else ""))

    def _apply(self) -> None:
        """Bring the proxy into the state that the outages in effect demand."""
        closed = frozenset(way for cut in self._cuts.values() for way in DIRECTIONS[cut])
        for direction in ONE_WAY:
            if direction in self._closed - closed:
                self._proxy.heal(direction)
        self._closed = closed
        latency = {direction: self._latency_of(direction) for direction in ONE_WAY}
        for direction, seconds in latency.items():
            self._proxy.delay(seconds, direction)
        before, self._latency = sum(self._latency.values()), latency
        now = sum(latency.values())
        if now != before:
            self._log.note(f"slowed by {now * 1000:g} ms" if now else "no longer slowed")

    def _latency_of(self, direction: Direction) -> float:
        delays = [seconds for seconds, slowed in self._delays.values() if direction in DIRECTIONS[slowed]]
        return delays[-1] if delays else self._usual.get(direction, 0.0)
