"""The network between the roles of a cluster and its PostgreSQL: a proxy for each process, to cut and slow it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..errors import OptionError
from .postgres_server import HOST
from .role_config import MemberPorts

if TYPE_CHECKING:
    from ..network.tcp_proxy import Blocking, TcpProxy

WAYS: tuple[Blocking, ...] = ("refused", "reset", "silent")


class DatabaseLinks:
    """The links of the processes in `members` to the database at `port`, each over a port of its own.

    Attributes:
        outages: What is done to the network of a process, such as `cut (reset)`, by its name.

    Args:
        members: The processes with a role, and the port of each one's link (reserved by the caller).
        port: The port of the database.
    """

    def __init__(self, members: Mapping[str, int], port: int) -> None:
        self._proxies: dict[str, TcpProxy] = {}
        self.outages: dict[str, str] = {}
        self._closing = contextlib.ExitStack()
        if not members:
            return
        from ..network.tcp_proxy import TcpProxy  # asyncio and ssl take a third of the start of a cluster's process

        with contextlib.ExitStack() as undo:
            for member, own in members.items():
                self._proxies[member] = undo.enter_context(TcpProxy(f"{HOST}:{port}", host=HOST, port=own))
            self._closing = undo.pop_all()

    def ports(self, member: str) -> MemberPorts | None:
        """Where this process finds the database; None if it has no link of its own."""
        proxy = self._proxies.get(member)
        return None if proxy is None else MemberPorts(int(proxy.address.rpartition(":")[2]))

    def cut(self, members: Iterable[str], how: str) -> None:
        """Let nothing through; see `TcpProxy.block`.

        Raises:
            OptionError: There is no such way, these processes have no link, or this system cannot do it.
        """
        if how not in WAYS:
            raise OptionError(f"the network cannot be cut {how!r}", hint=f"use one of {', '.join(WAYS)}")
        for member, proxy in self._of(members).items():
            try:
                proxy.block(how)
            except OSError as error:
                raise OptionError(f"the network cannot be cut {how!r}: {error}", hint="use refused or reset") from error
            self.outages[member] = f"cut ({how})"

    def slow(self, members: Iterable[str], by: float) -> None:
        """Make everything take `by` seconds longer in each direction.

        Raises:
            OptionError: These processes have no link.
        """
        for member, proxy in self._of(members).items():
            proxy.delay(by)
            self.outages[member] = f"slow by {by:g} s"

    def heal(self, members: Iterable[str] | None = None) -> None:
        """End what was done to the links of these processes, or of all."""
        for member, proxy in (self._proxies if members is None else self._of(members)).items():
            proxy.delay(0.0)
            proxy.unblock()
            self.outages.pop(member, None)

    def close(self) -> None:
        """Close all."""
        self._closing.close()

    def _of(self, members: Iterable[str]) -> dict[str, TcpProxy]:
        found = {member: self._proxies[member] for member in members if member in self._proxies}
        if not found:
            raise OptionError(
                "the network between these members and their database cannot be changed",
                hint="it needs proxies (devserver cluster up --proxies), and a process with a role, such as history-1",
            )
        return found
