"""Knows a user's module by looking at it: workflows, activities, Nexus services, their types, and what they take."""

from __future__ import annotations

from .discovery import find
from .errors import ModuleFails, ModuleUnknown, NameClash, NotInModule, ReflectionError
from .module import Activity, Module, NexusService, Workflow

__all__ = [
    "Activity",
    "Module",
    "ModuleFails",
    "ModuleUnknown",
    "NameClash",
    "NexusService",
    "NotInModule",
    "ReflectionError",
    "Workflow",
    "find",
]
