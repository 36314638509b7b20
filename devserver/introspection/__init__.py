"""Knows a user's module by looking at it: workflows, activities, Nexus services, their types, and what they take."""

from __future__ import annotations

from .discovery import find
from .errors import DuplicateName, IntrospectionError, ModuleFailed, ModuleUnknown, NotInModule
from .module import Activity, Module, NexusService, Workflow

__all__ = [
    "Activity",
    "DuplicateName",
    "IntrospectionError",
    "Module",
    "ModuleFailed",
    "ModuleUnknown",
    "NexusService",
    "NotInModule",
    "Workflow",
    "find",
]
