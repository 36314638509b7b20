"""A trace as an HTML page: one file with its style and script, written while the workflow is read."""

from __future__ import annotations

from ...system.html_page import PageNotWritten
from .write import write_page

__all__ = ["PageNotWritten", "write_page"]
