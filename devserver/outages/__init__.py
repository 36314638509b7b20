"""Outages of a server and of its network: kill, stop, freeze, cut and slow, undone in order.

Everything blocks and is thread-safe; `OutageBlock` also works in `async with`.
"""

from .log import OutageEvent, OutageLog
from .model import ActiveOutage, OutageBlock, OutageConflict
from .network import NetworkOutages
from .outages import Outages
from .server import ServerOutages, ServerState

__all__ = [
    "ActiveOutage",
    "NetworkOutages",
    "OutageBlock",
    "OutageConflict",
    "OutageEvent",
    "OutageLog",
    "Outages",
    "ServerOutages",
    "ServerState",
]
