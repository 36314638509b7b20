"""Finds workflows, activities and Nexus services among the values of a module, and classes that need an instance."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .module import Activity, NexusService, Workflow

WORKFLOW = "__temporal_workflow_definition"
ACTIVITY = "__temporal_activity_definition"
SERVICE = "__nexus_service_definition__"
OPERATION = ("__nexus_operation_factory__", "__nexus_operation__")


@dataclass
class Definitions:
    """What was found, in the order of the source. A worker needs an instance of each of `classes`."""

    workflows: list[Workflow] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    services: list[NexusService] = field(default_factory=list)
    classes: list[type] = field(default_factory=list)

    def add(self, value: Any) -> bool:
        """Add a value; False if it is no definition of the SDK."""
        if isinstance(value, ModuleType):
            return False
        if isinstance(value, type):
            return self._add_class(value)
        if inspect.isroutine(value):
            return self._add_function(value)
        return self._add_instance(value)

    def without_instance(self) -> list[type]:
        """The classes without an instance of them or of a subclass."""
        made = [type(getattr(activity.function, "__self__", activity.function)) for activity in self.activities]
        made += [service.cls for service in self.services if service.bound]
        return [cls for cls in self.classes if not any(issubclass(kind, cls) for kind in made)]

    def add_unbound(self, cls: type) -> None:
        """Add the activities and the service of a class without an instance."""
        for name in methods(cls):
            self._add_activity(getattr(cls, name), bound=False)
        if is_callable_activity(cls):
            self._add_activity(cls, bound=False)
        if is_service(cls):
            self._add_service(cls)

    def _add_class(self, cls: type) -> bool:
        if WORKFLOW in vars(cls):
            definition = vars(cls)[WORKFLOW]
            if all(workflow.cls is not cls for workflow in self.workflows):
                self.workflows.append(Workflow(definition.name, cls, definition))
            return True
        static = [method for method in static_methods(cls) if self._add_function(method)]
        if is_service(cls) or methods(cls) or is_callable_activity(cls):
            if cls not in self.classes:
                self.classes.append(cls)
            return True
        return bool(static)

    def _add_function(self, function: Callable[..., Any]) -> bool:
        if getattr(function, ACTIVITY, None) is None:
            return False
        self._add_activity(function, bound=True)
        return True

    def _add_instance(self, instance: Any) -> bool:
        cls = type(instance)
        bound = [getattr(instance, name) for name in methods(cls)]
        if is_callable_activity(cls):
            bound.append(instance)
        for function in (*bound, *static_methods(cls)):
            self._add_activity(function, bound=True)
        if is_service(cls):
            self._add_service(instance)
        return bool(bound) or is_service(cls)

    def _add_activity(self, function: Callable[..., Any], *, bound: bool) -> None:
        from temporalio import activity

        definition = activity._Definition.must_from_callable(function)
        if all(activity.function != function for activity in self.activities):
            self.activities.append(Activity(definition.name, function, definition, bound))

    def _add_service(self, handler: Any) -> None:
        from nexusrpc import get_service_definition

        definition = get_service_definition(handler if isinstance(handler, type) else type(handler))
        if definition is not None and all(service.handler is not handler for service in self.services):
            self.services.append(NexusService(definition.name, handler, definition))


def methods(cls: type) -> list[str]:
    """The names of the methods of a class that are activities."""
    return [name for name, raw in members(cls).items() if inspect.isfunction(raw) and hasattr(raw, ACTIVITY)]


def is_callable_activity(cls: type) -> bool:
    """Whether an instance is an activity itself: `@activity.defn` on a class with `__call__`."""
    return ACTIVITY in members(cls)


def static_methods(cls: type) -> list[Callable[..., Any]]:
    """The activities of a class that are static or class methods."""
    names = (name for name, raw in members(cls).items() if isinstance(raw, (staticmethod, classmethod)))
    return [method for method in (getattr(cls, name) for name in names) if hasattr(method, ACTIVITY)]


def is_service(cls: type) -> bool:
    """Whether a class handles a Nexus service: it implements the operations, unlike the service's definition."""
    if SERVICE not in vars(cls):
        return False
    return any(hasattr(member, mark) for member in members(cls).values() for mark in OPERATION)


def is_own(value: Any, top: str, project: Path) -> bool:
    """Whether a value of a module is the project's own: of the package `top`, or from its folder."""
    name = getattr(value if isinstance(value, type) or inspect.isroutine(value) else type(value), "__module__", None)
    if not isinstance(name, str):
        return False
    if name.partition(".")[0] == top:
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file:
        return False
    path = Path(file).resolve()
    return path.is_relative_to(project) and not {"site-packages", "dist-packages"} & set(path.parts)


def why_not_callable(function: Callable[..., Any]) -> str | None:
    """Why a function or class cannot be called without arguments; None if it can."""
    if inspect.isabstract(function):
        return "it is abstract"
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "its parameters are unknown"
    open_kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind not in open_kinds
    ]
    if needed:
        return f"it needs {', '.join(needed)}"
    return "it is async" if inspect.iscoroutinefunction(function) else None


def duplicates(definitions: list[Any]) -> Iterator[tuple[str, str, str]]:
    """The names that two definitions have, each with both places."""
    seen: dict[str, Any] = {}
    for definition in definitions:
        other = seen.setdefault(definition.label, definition)
        if other is not definition:
            yield definition.label, other.place, definition.place


def members(cls: type) -> dict[str, Any]:
    """The members of a class with inherited ones, as they are stored: nothing is bound or called."""
    found: dict[str, Any] = {}
    for kind in reversed(cls.__mro__):
        found.update(vars(kind))
    return found
