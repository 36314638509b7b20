"""Searches the histories of a namespace, with an index of closed runs on this machine."""

from __future__ import annotations

from ..history.event_roles import event_name, event_number
from .hits import Hit
from .query import STATES, Attempts, SearchQuery, status_named
from .search import Search, SearchProgress

__all__ = [
    "STATES",
    "Attempts",
    "Hit",
    "Search",
    "SearchProgress",
    "SearchQuery",
    "event_name",
    "event_number",
    "status_named",
]
