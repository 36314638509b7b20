"""Finds the workflows, activities and Nexus services of a user's module, and makes the instances that they need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .converters import converter_of, plugins_of
from .errors import DuplicateName, IntrospectionError, NotInModule
from .import_module import call, load
from .module import Module, nearest, place_of
from .module_scan import ACTIVITY, Definitions, duplicates, is_own, why_not_callable
from .module_spec import ModuleSpec, parse

FACTORIES = ("activities", "make_activities", "nexus_services", "make_nexus_services")
QUEUE = "TASK_QUEUE"
HINT = "write a function activities() that returns the instances, or name one: MODULE:FUNCTION"


def find(spec: str, *, make: bool = True) -> Module:
    """Import a module and find what a worker for it runs.

    Its folder is added to `sys.path`, as with `python -m`; its output goes to stderr. The submodules of a package are
    imported too.

    Args:
        spec: `package.module` or `path/to/file.py`, each with an optional `:NAME`. The name of a workflow (its class or
            type), an activity or a Nexus service selects it alone; the name of a factory, a class or a value adds the
            instances that it returns.
        make: Whether to call factories, and classes that need no arguments. Otherwise methods are not bound, which is
            enough for names and types.

    Raises:
        ModuleUnknown: The module does not exist.
        ModuleFailed: The module or a factory raises.
        NotInModule: The module does not contain that name.
        DuplicateName: Two definitions have the same name.
    """
    parsed = parse(spec)
    modules = load(parsed)
    search = _Search(parsed, modules, make)
    search.scan()
    select = parsed.name is not None and not search.add_named(parsed.name)
    search.make_rest()
    found = _module(search, modules)
    return _selected(found, parsed) if select else found


class _Search:
    """One search through a module's values."""

    def __init__(self, spec: ModuleSpec, modules: Sequence[ModuleType], make: bool) -> None:
        self.spec = spec
        self.modules = modules
        self.make = make
        self.found = Definitions()
        self.notes: list[str] = []

    def scan(self) -> None:
        """Add the definitions in the modules, and those that their factories return."""
        top = self.spec.module.partition(".")[0]
        for module in self.modules:
            for name, value in list(vars(module).items()):
                if name.startswith("__") or not is_own(value, top, self.spec.project):
                    continue
                if not self.found.add(value) and name in FACTORIES and callable(value):
                    self.add_from(name, value)
            for name in FACTORIES:
                if isinstance(vars(module).get(name), (list, tuple)):
                    self.add_from(name, vars(module)[name])

    def add_named(self, name: str) -> bool:
        """Add what a factory, class or value of that name returns; False if the name is none of them."""
        for module in self.modules:
            value: Any = module
            for part in name.split("."):
                value = getattr(value, part, None)
            if value is None or isinstance(value, ModuleType) or hasattr(value, ACTIVITY):
                continue
            before = Definitions()
            if isinstance(value, type) and before.add(value) and not before.classes:
                return False
            self.add_from(name, value)
            return True
        return False

    def add_from(self, name: str, source: Any) -> None:
        """Add the instances that a factory returns or a list contains."""
        if not callable(source):
            self._add_all(name, source)
        elif self.make:
            reason = why_not_callable(source)
            if reason:
                raise IntrospectionError(
                    f"the factory {name} ({place_of(source)}) cannot be called: {reason}",
                    hint="a factory is a function, not async, that can be called without arguments",
                )
            self._add_all(name, call(source, f"the factory {name} ({place_of(source)})", self.spec))

    def _add_all(self, name: str, instances: Any) -> None:
        values = instances if isinstance(instances, (list, tuple, set, frozenset)) else [instances]
        for value in values:
            if not self.found.add(value):
                raise IntrospectionError(
                    f"{name} returns {value!r}, which has no activities and no Nexus operations",
                    hint="decorate methods with @activity.defn, classes with @nexusrpc.handler.service_handler",
                )

    def make_rest(self) -> None:
        """Make an instance of each class that has none and needs no arguments; add a note for the others."""
        if not self.make:
            for cls in self.found.without_instance():
                self.found.add_unbound(cls)
            return
        # The most derived first: its instance counts for its base classes too.
        for cls in sorted(self.found.without_instance(), key=lambda cls: -len(cls.__mro__)):
            if cls in self.found.without_instance() and not why_not_callable(cls):
                self.found.add(call(cls, f"{cls.__name__}() ({place_of(cls)})", self.spec))
        for cls in self.found.without_instance():
            self.notes.append(f"{cls.__name__} ({place_of(cls)}) is left out because {why_not_callable(cls)}: {HINT}")


def _module(search: _Search, modules: Sequence[ModuleType]) -> Module:
    found = search.found
    for kind, definitions in (
        ("workflows", found.workflows),
        ("activities", found.activities),
        ("Nexus services", found.services),
    ):
        for name, one, other in duplicates(list(definitions)):
            raise DuplicateName(
                f"two {kind} have the same name: {name}", details=[one, other], hint="rename one of them"
            )
    file = getattr(modules[0], "__file__", None)
    return Module(
        spec=search.spec.text,
        name=search.spec.module,
        file=Path(file).resolve() if file else None,
        project=search.spec.project,
        task_queue=_task_queue(modules),
        workflows=tuple(found.workflows),
        activities=tuple(found.activities),
        nexus_services=tuple(found.services),
        data_converter=converter_of(modules, found),
        plugins=plugins_of(modules),
        notes=tuple(search.notes),
    )


def _task_queue(modules: Sequence[ModuleType]) -> str:
    """`TASK_QUEUE` of the module; else the name of its package, which all of its modules share."""
    for module in modules:
        named = vars(module).get(QUEUE)
        if isinstance(named, str) and named:
            return named
    return queue_of(modules[0].__name__)


def queue_of(name: str) -> str:
    """The task queue of a module without `TASK_QUEUE`: its outermost package that has an `__init__.py`."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:count]))
        if getattr(module, "__file__", None):
            return parts[count - 1].replace("_", "-")
    return parts[-1].replace("_", "-")


def _selected(found: Module, spec: ModuleSpec) -> Module:
    """The module with only the definitions of the name that was given."""
    name = str(spec.name)

    def matches(definition: Any) -> bool:
        function = getattr(definition, "function", None)
        names = {definition.label, getattr(function, "__name__", None), getattr(function, "__qualname__", None)}
        return name in names or getattr(getattr(definition, "cls", None), "__name__", None) == name

    selected = replace(
        found,
        workflows=tuple(filter(matches, found.workflows)),
        activities=tuple(filter(matches, found.activities)),
        nexus_services=tuple(filter(matches, found.nexus_services)),
        notes=(),
    )
    if selected.is_empty:
        known = [workflow.label for workflow in found.workflows]
        known += [activity.label for activity in found.activities]
        known += [service.label for service in found.nexus_services]
        where = found.spec.partition(":")[0]
        raise NotInModule(f"{where} has no workflow, activity, service or factory {name}", hint=nearest(name, known))
    return selected
