"""Fixtures of the database's tests."""

from __future__ import annotations

from ...helpers.old_binaries import old_binary

__all__ = ["old_binary"]
