"""`temporal_outage`: what can go wrong with a server, done on purpose to a test's own one, and undone at its end."""

from __future__ import annotations

from .log import Moment
from .outage import Outage
from .process import ServerKilled

__all__ = ["Moment", "Outage", "ServerKilled"]
