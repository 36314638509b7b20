"""What was found in a module: workflows, activities and Nexus services, by their names on the server."""

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
    """A class with `@workflow.defn`. `name` is its type (None: dynamic), `definition` the SDK's own."""

    name: str | None
    cls: type
    definition: Any

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name or DYNAMIC

    @property
    def place(self) -> str:
        """Where it is written, as `file:line`."""
        return place_of(self.cls)


@dataclass(frozen=True)
class Activity:
    """A function or method with `@activity.defn`, as a worker takes it: methods are bound to their instance.

    `name` is None for a dynamic one; `definition` is the SDK's own. A method that is not bound yet, because nothing
    was made (`find(make=False)`), has `bound` False: a worker cannot take it.
    """

    name: str | None
    function: Callable[..., Any]
    definition: Any
    bound: bool = True

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name or DYNAMIC

    @property
    def is_async(self) -> bool:
        """Whether it needs no thread of an executor."""
        return bool(self.definition.is_async)

    @property
    def place(self) -> str:
        """Where it is written, as `file:line`."""
        return place_of(self.function)


@dataclass(frozen=True)
class NexusService:
    """A Nexus service by its name; `handler` is the instance that serves it, or its class if nothing was made.

    `definition` is nexusrpc's own.
    """

    name: str
    handler: Any
    definition: Any

    @property
    def bound(self) -> bool:
        """Whether `handler` is an instance, which is what a worker takes."""
        return not isinstance(self.handler, type)

    @property
    def cls(self) -> type:
        """The class of the handler."""
        return type(self.handler) if self.bound else self.handler

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name

    @property
    def place(self) -> str:
        """Where it is written, as `file:line`."""
        return place_of(self.cls)


@dataclass(frozen=True)
class Module:
    """A user's module. `spec` is as given, `name` its import name, `file` its source (absolute; None for a namespace).

    `project` is the folder whose code counts, `task_queue` the default for its worker and its clients.
    `data_converter` is None where the SDK's default does; `plugins` are the SDK's, for clients and workers. `notes` are
    sentences on what was left out.
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
        """Whether there is nothing that a worker could work on."""
        return not (self.workflows or self.activities or self.nexus_services)

    def workflow(self, name: str) -> Workflow:
        """The workflow of that type, or of that class; a dynamic one takes any type that is not there.

        Raises:
            NotInModule: There is none.
        """
        by_class = (each for each in self.workflows if each.cls.__name__ == name)
        dynamic = (each for each in self.workflows if each.name is None)
        for each in (*(each for each in self.workflows if each.name == name), *by_class, *dynamic):
            return each
        known = [each.label for each in self.workflows]
        raise NotInModule(f"{self.spec.partition(':')[0]} has no workflow {name}", hint=nearest(name, known))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: what it may have been meant to be, else all there is."""
    there = list(dict.fromkeys(known))
    lower = {each.lower(): each for each in there}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return f"there are: {', '.join(sorted(there))}" if there else "there are none"


def place_of(thing: Any) -> str:
    """Where a class or function is written, as `file:line`; its name where nobody knows."""
    thing = inspect.unwrap(getattr(thing, "__func__", thing))
    if not isinstance(thing, type) and not inspect.isfunction(thing):
        thing = type(thing)
    try:
        line = thing.__code__.co_firstlineno if inspect.isfunction(thing) else inspect.getsourcelines(thing)[1]
        return f"{inspect.getsourcefile(thing)}:{line}"
    except (OSError, TypeError):
        return f"{thing.__module__}.{thing.__qualname__}"
