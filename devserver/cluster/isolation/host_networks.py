"""Networks of the hosts that a cluster's nodes would have: a namespace for each, all on one bridge.

A host of its own gives a node a source address of its own, so that everything it sends can be dropped too: Cassandra
does not bind the connections that it opens, and on a shared loopback interface they look like anybody's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...system.paths import which
from ..errors import NetworkNotIsolated
from . import in_network

NETWORK = "10.92.0"
OWN = 254  # the address of the namespace that has the bridge
BRIDGE = "devserver"
PROGRAMS = {"ip": "iproute2", "nft": "nftables"}
SYSTEM = ("/usr/sbin", "/sbin")  # not on the PATH of ordinary users
SECONDS = 30.0
DROP = """table inet devserver {
  chain out { type filter hook output priority 0; oifname != "lo" drop; }
  chain in { type filter hook input priority 0; iifname != "lo" drop; }
}
"""


class HostNetworks:
    """The hosts of one cluster, by number. The process that makes them is in a namespace of its own already.

    Attributes:
        dropped: The hosts that are in a black hole.
    """

    def __init__(self) -> None:
        self.dropped: set[int] = set()
        self._open: dict[int, int] = {}

    def begin(self) -> None:
        """Make the bridge.

        Raises:
            NetworkNotIsolated: `ip` is missing, or the kernel refuses.
        """
        _ip(
            f"link add {BRIDGE} type bridge",
            f"address add {NETWORK}.{OWN}/24 dev {BRIDGE}",
            f"link set {BRIDGE} up",
        )

    def add(self, number: int) -> None:
        """Make the network of a host, with the address NETWORK.number.

        Raises:
            NetworkNotIsolated: The kernel refuses.
        """
        if number in self._open:
            return
        words = [sys.executable, "-I", "-S", in_network.__file__, "--new"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            if holder.stdout is None or holder.stdout.readline() != b"made\n":
                raise NetworkNotIsolated("a second network namespace cannot be made", hint="see network_namespaces(7)")
            self._open[number] = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            link = f"host{number}"
            _ip(
                f"link add {link} type veth peer name eth0 netns {holder.pid}",
                f"link set {link} master {BRIDGE}",
                f"link set {link} up",
            )
            inside = self.inside(number, [program("ip"), "-batch", "-"])
            _ip(
                *("link set lo up", f"address add {address_of(number)}/24 dev eth0", "link set eth0 up"),
                command=inside,
            )

    def inside(self, number: int, words: Sequence[str]) -> list[str]:
        """The command, run in the network of a host."""
        namespace = f"/proc/{os.getpid()}/fd/{self._open[number]}"
        return [sys.executable, "-I", "-S", in_network.__file__, namespace, *words]

    def black_hole(self, number: int, *, on: bool) -> None:
        """Drop every packet that a host sends or receives, or stop dropping them.

        Raises:
            NetworkNotIsolated: `nft` is missing, or the kernel refuses.
        """
        _run(self.inside(number, [program("nft"), "-f", "-"]), f"flush ruleset\n{DROP if on else ''}")
        (self.dropped.add if on else self.dropped.discard)(number)

    def remove(self, number: int) -> None:
        """Forget a host; its network ends with its processes."""
        self.dropped.discard(number)
        os.close(self._open.pop(number))


def address_of(number: int) -> str:
    """The address of a host."""
    return f"{NETWORK}.{number}"


def program(name: str) -> str:
    """The path of `ip` or `nft`.

    Raises:
        NetworkNotIsolated: It is not installed.
    """
    found = which(name) or next((path for folder in SYSTEM if Path(path := f"{folder}/{name}").is_file()), None)
    if found is None:
        raise NetworkNotIsolated(
            f"{name} is not on this machine: a cluster needs it for a network of its own, or to break it",
            hint=f"install it (Debian: apt-get install {PROGRAMS[name]})",
        )
    return found


def _ip(*lines: str, command: Sequence[str] | None = None) -> None:
    _run(command or [program("ip"), "-batch", "-"], "".join(f"{line}\n" for line in lines))


def _run(words: Sequence[str], text: str) -> None:
    done = subprocess.run(list(words), input=text, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise NetworkNotIsolated(
            "the kernel refuses what the network of the cluster needs",
            details=done.stderr.splitlines()[:4],
            hint="it needs the modules veth, bridge and nf_tables; containers often forbid them",
        )
