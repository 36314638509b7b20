"""Searches the histories of a namespace, and keeps those that are closed in an index on this machine."""

from __future__ import annotations

from .event_names import event_name, event_number
from .hits import Hit
from .query import STATES, Attempts, Wanted, status_named
from .search import Progress, Search

__all__ = ["STATES", "Attempts", "Hit", "Progress", "Search", "Wanted", "event_name", "event_number", "status_named"]
