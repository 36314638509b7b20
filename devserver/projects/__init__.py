"""Projects that `devserver new` writes: workflows, tests, CI and settings, made from the examples."""

from __future__ import annotations

from .creation import Created, create
from .templates import TEMPLATES, Template

__all__ = ["TEMPLATES", "Created", "Template", "create"]
