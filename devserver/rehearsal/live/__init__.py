"""The page of a rehearsal that runs: its report grows, and becomes the report when it has ended."""

from __future__ import annotations

from .live_page import LivePage
from .present import present_data

__all__ = ["LivePage", "present_data"]
