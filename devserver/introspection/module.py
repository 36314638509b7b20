"""The content of a module: workflows, activities and Nexus services, by their names on the server."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import NotInModule

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

DYNAMIC = "(dynamic)"


@dataclass(frozen=True)
class Workflow:
    """A class with `@workflow.defn`. `name` is its type (None: dynamic), `definition` is the SDK's."""

    name: str | None
    cls: type
    definition: Any

    @property
    def label(self) -> str:
        """Its name, or `(dynamic)`."""
        return self.name or DYNAMIC

    @property
    def place(self) -> str:
        """Its source, as `file:line`."""
        return place_of(self.cls)


@dataclass(frozen=True)
class Activity:
    """A function or bound method with `@activity.defn`, as a worker registers it.

    `name` is None for a dynamic one; `definition` is the SDK's. A worker cannot register a method without an instance
    (`find(make=False)`), which has `bound` False.
    """

    name: str | None
    function: Callable[..., Any]
    definition: Any
    bound: bool = True

    @property
    def label(self) -> str:
        """Its name, or `(dynamic)`."""
        return self.name or DYNAMIC

    @property
    def is_async(self) -> bool:
        """Whether it is `async`, so that it needs no thread of an executor."""
        return bool(self.definition.is_async)

    @property
    def place(self) -> str:
        """Its source, as `file:line`."""
        return place_of(self.function)


@dataclass(frozen=True)
class NexusService:
    """A Nexus service by its name; `handler` is its instance, or its class if none was made.

    `definition` is nexusrpc's.
    """

    name: str
    handler: Any
    definition: Any

    @property
    def bound(self) -> bool:
        """Whether `handler` is an instance, as a worker needs it."""
        return not isinstance(self.handler, type)

    @property
    def cls(self) -> type:
        """The class of the handler."""
        return type(self.handler) if self.bound else self.handler

    @property
    def label(self) -> str:
        """Its name, or `(dynamic)`."""
        return self.name

    @property
    def place(self) -> str:
        """Its source, as `file:line`."""
        return place_of(self.cls)


@dataclass(frozen=True)
class Module:
    """The user's module.

    Attributes:
        spec: The specification, as it was given.
        name: The import name.
        file: The source (absolute); None for a namespace package.
        project: The folder of the user's own code.
        task_queue: The default of its workers and clients.
        workflows, activities, nexus_services: Its content, in the order of the source.
        data_converter: None for the SDK's default.
        plugins: Plugins of the SDK, for clients and workers.
        notes: Sentences about what was left out.
    """

    spec: str
    name: str
    file: Path | None
    project: Path
    task_queue: str
    workflows: tuple[Workflow, ...] = ()
    activities: tuple[Activity, ...] = ()
    nexus_services: tuple[NexusService, ...] = ()
    data_converter: DataConverter | None = None
    plugins: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether a worker would have nothing to run."""
        return not (self.workflows or self.activities or self.nexus_services)

    def workflow(self, name: str) -> Workflow:
        """The workflow of that type, else of that class, else the dynamic one.

        Raises:
            NotInModule: There is none.
        """
        by_type = (workflow for workflow in self.workflows if workflow.name == name)
        by_class = (workflow for workflow in self.workflows if workflow.cls.__name__ == name)
        dynamic = (workflow for workflow in self.workflows if workflow.name is None)
        for workflow in (*by_type, *by_class, *dynamic):
            return workflow
        known = [workflow.label for workflow in self.workflows]
        raise NotInModule(f"{self.spec.partition(':')[0]} has no workflow {name}", hint=nearest(name, known))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the name that was probably meant, else all known names."""
    names = list(dict.fromkeys(known))
    lower = {known_name.lower(): known_name for known_name in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return f"it has {', '.join(sorted(names))}" if names else "it has none"


def place_of(thing: Any) -> str:
    """The source of a class or function, as `file:line`; its name if the source is unknown."""
    thing = inspect.unwrap(getattr(thing, "__func__", thing))
    if not isinstance(thing, type) and not inspect.isfunction(thing):
        thing = type(thing)
    try:
        line = thing.__code__.co_firstlineno if inspect.isfunction(thing) else inspect.getsourcelines(thing)[1]
        return f"{inspect.getsourcefile(thing)}:{line}"
    except (OSError, TypeError):
        return f"{thing.__module__}.{thing.__qualname__}"
