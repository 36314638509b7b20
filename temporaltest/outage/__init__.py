"""`temporal_outage`: breaks a test's own server and its network on purpose, and repairs both at the test's end."""

from __future__ import annotations

from devserver.outages import OutageEvent

from .aio import AsyncOutage
from .outage import Outage, ServerKilled

__all__ = ["AsyncOutage", "Outage", "OutageEvent", "ServerKilled"]
