"""All outages of one server in one object, and their end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..errors import DevServerError
from ..instances.dev_server import DevServer
from ..network.tcp_proxy import TcpProxy
from .log import OutageLog
from .model import ActiveOutage, OutageBlock
from .network import NetworkOutages
from .server import ServerOutages


class Outages:
    """What is wrong with one server and with the network in front of it.

    The server has one outage at a time; the network can be cut and slowed at the same time. `end` restores everything.
    """

    def __init__(self, server: DevServer, proxy: TcpProxy) -> None:
        self.log = OutageLog()
        self._ended = threading.Event()
        self.server = ServerOutages(server, self.log)
        self.network = NetworkOutages(proxy, self.log)

    @property
    def active(self) -> tuple[ActiveOutage, ...]:
        """The outages in effect now, oldest first."""
        process = [] if self.server.active is None else [self.server.active]
        return tuple(sorted([*process, *self.network.active], key=lambda outage: outage.since))

    @property
    def ended(self) -> bool:
        """Whether `end` was called, and `begin` was not called since."""
        return self._ended.is_set()

    def block(self, begin: Callable[[], ActiveOutage]) -> OutageBlock:
        """A block for the outage that `begin` starts; `end` wakes it up."""
        return OutageBlock(begin, self._ended)

    def begin(self) -> None:
        """Allow outages again after `end`, for the next user of the same server."""
        self._ended.clear()

    def end(self, *, restart: bool = True) -> DevServerError | None:
        """Restore everything: thaw, heal, then restart a server that is down (unless `restart` is False).

        Blocks that wait return at once. Returns why the server did not restart; None where it did or need not.
        """
        self._ended.set()
        self.server.restore(restart=False)
        self.network.restore()
        if not restart:
            return None
        try:
            self.server.restore()
        except DevServerError as error:
            return error
        return None
