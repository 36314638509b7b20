"""A trace as a page: one file with its style and script in it, written while the workflow is read."""

from __future__ import annotations

from .write import PageNotWritten, write_page

__all__ = ["PageNotWritten", "write_page"]
