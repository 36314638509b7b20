"""Looks at the values of a module: which are workflows, activities and Nexus services, and which need an instance."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .module import Activity, NexusService, Workflow, place_of

WORKFLOW = "__temporal_workflow_definition"
ACTIVITY = "__temporal_activity_definition"
SERVICE = "__nexus_service_definition__"
OPERATION = ("__nexus_operation_factory__", "__nexus_operation__")


@dataclass
class Definitions:
    """What is there, in the order in which it stands there. `classes` need an instance before they are of use."""

    workflows: list[Workflow] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    services: list[NexusService] = field(default_factory=list)
    classes: list[type] = field(default_factory=list)

    def take(self, thing: Any) -> bool:
        """Note what `thing` is; False if it is nothing of ours."""
        if isinstance(thing, ModuleType):
            return False
        if isinstance(thing, type):
            return self._take_class(thing)
        if inspect.isroutine(thing):
            return self._take_activity(thing)
        return self._take_instance(thing)

    def needy(self) -> list[type]:
        """Classes without an instance, also of a class made from them."""
        made = [type(getattr(each.function, "__self__", each.function)) for each in self.activities]
        made += [each.cls for each in self.services if each.bound]
        return [each for each in self.classes if not any(issubclass(kind, each) for kind in made)]

    def add_unbound(self, cls: type) -> None:
        """Note the activities and the service of a class as they are without an instance."""
        for name in methods(cls):
            self._add(getattr(cls, name), bound=False)
        if is_callable_activity(cls):
            self._add(cls, bound=False)
        if is_service(cls):
            self._add_service(cls)

    def _take_class(self, cls: type) -> bool:
        if WORKFLOW in vars(cls):
            definition = vars(cls)[WORKFLOW]
            if all(each.cls is not cls for each in self.workflows):
                self.workflows.append(Workflow(definition.name, cls, definition))
            return True
        free = [each for each in static_methods(cls) if self._take_activity(each)]
        if is_service(cls) or methods(cls) or is_callable_activity(cls):
            if cls not in self.classes:
                self.classes.append(cls)
            return True
        return bool(free)

    def _take_activity(self, function: Callable[..., Any]) -> bool:
        if getattr(function, ACTIVITY, None) is None:
            return False
        self._add(function, bound=True)
        return True

    def _take_instance(self, thing: Any) -> bool:
        cls = type(thing)
        bound = [getattr(thing, name) for name in methods(cls)]
        if is_callable_activity(cls):
            bound.append(thing)
        for function in (*bound, *static_methods(cls)):
            self._add(function, bound=True)
        if is_service(cls):
            self._add_service(thing)
        return bool(bound) or is_service(cls)

    def _add(self, function: Callable[..., Any], *, bound: bool) -> None:
        from temporalio import activity

        definition = activity._Definition.must_from_callable(function)
        if all(each.function != function for each in self.activities):
            self.activities.append(Activity(definition.name, function, definition, bound))

    def _add_service(self, handler: Any) -> None:
        from nexusrpc import get_service_definition

        definition = get_service_definition(handler if isinstance(handler, type) else type(handler))
        if definition is not None and all(each.handler is not handler for each in self.services):
            self.services.append(NexusService(definition.name, handler, definition))


def methods(cls: type) -> list[str]:
    """The names of a class's methods that are activities."""
    return [name for name, raw in members(cls).items() if inspect.isfunction(raw) and hasattr(raw, ACTIVITY)]


def is_callable_activity(cls: type) -> bool:
    """Whether an instance is an activity itself: `@activity.defn` on a class with `__call__`."""
    return ACTIVITY in members(cls)


def static_methods(cls: type) -> list[Callable[..., Any]]:
    """The activities of a class that need no instance."""
    names = (name for name, raw in members(cls).items() if isinstance(raw, (staticmethod, classmethod)))
    return [each for each in (getattr(cls, name) for name in names) if hasattr(each, ACTIVITY)]


def is_service(cls: type) -> bool:
    """Whether it handles a Nexus service: it has operations, where a contract only names them."""
    if SERVICE not in vars(cls):
        return False
    return any(hasattr(each, mark) for each in members(cls).values() for mark in OPERATION)


def counts(thing: Any, top: str, project: Path) -> bool:
    """Whether a value that a module has is the project's own: of its package, or from its folder."""
    name = getattr(thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing), "__module__", None)
    if not isinstance(name, str):
        return False
    if name.partition(".")[0] == top:
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file:
        return False
    path = Path(file).resolve()
    return path.is_relative_to(project) and not {"site-packages", "dist-packages"} & set(path.parts)


def unmakeable(function: Callable[..., Any]) -> str | None:
    """Why a function or class cannot be called without arguments; None if it can."""
    if inspect.isabstract(function):
        return "it is abstract"
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "its arguments are not known"
    open_kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [each.name for each in parameters if each.default is each.empty and each.kind not in open_kinds]
    if needed:
        return f"it needs {', '.join(needed)}"
    return "it is async" if inspect.iscoroutinefunction(function) else None


def clashes(things: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Names that two definitions go by, each with both places."""
    seen: dict[str, Any] = {}
    for each in things:
        other = seen.setdefault(each.label, each)
        if other is not each:
            yield each.label, _place(other), _place(each)


def _place(thing: Any) -> str:
    return str(getattr(thing, "place", None) or place_of(thing))


def members(cls: type) -> dict[str, Any]:
    """What a class has, inherited members too, as it is written: nothing is bound or called."""
    found: dict[str, Any] = {}
    for kind in reversed(cls.__mro__):
        found.update(vars(kind))
    return found
