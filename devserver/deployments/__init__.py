"""Worker deployments on a server: which build has the work, moving it from one build to another, and back."""

from __future__ import annotations

from .change import Change, ramp, rollback, set_current
from .drain import Drain, drains, open_on
from .look import find_deployment, find_status, registered
from .model import Deployment, Load, Queue, Routing, Status, Version

__all__ = [
    "Change",
    "Deployment",
    "Drain",
    "Load",
    "Queue",
    "Routing",
    "Status",
    "Version",
    "drains",
    "find_deployment",
    "find_status",
    "open_on",
    "ramp",
    "registered",
    "rollback",
    "set_current",
]
