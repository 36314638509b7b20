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
from .import_module import calling, load
from .module import Module, nearest, place_of
from .module_scan import ACTIVITY, Definitions, clashes, counts, unmakeable
from .module_spec import ModuleSpec, parse

FACTORIES = ("activities", "make_activities", "nexus_services", "make_nexus_services")
QUEUE = "TASK_QUEUE"
GIVE = "have a function activities() that returns the instances, or name yours: MODULE:FUNCTION"


def find(spec: str, *, make: bool = True) -> Module:
    """What a worker for the module works on.

    Imports the module, so its folder goes to `sys.path` as with `python -m`; what it prints meanwhile goes to stderr.
    Of a package, submodules count too.

    Args:
        spec: `package.module` or `path/to/file.py`, each with an optional `:NAME`. The name of a workflow (its class or
            type), an activity or a Nexus service narrows the module to it; that of a factory, a class or a value adds
            the instances that it gives.
        make: Whether to call factories and to make the instances that need no arguments. Without, methods are found
            unbound: enough to know names and types.

    Raises:
        ModuleUnknown: There is no such module.
        ModuleFailed: It raises, or a factory does.
        NotInModule: It has no such name.
        DuplicateName: Two definitions go by one name.
    """
    wanted = parse(spec)
    modules = load(wanted)
    search = _Search(wanted, modules, make)
    search.scan()
    narrow = wanted.name is not None and not search.added(wanted.name)
    search.make_rest()
    found = _told(search, modules)
    return _narrowed(found, wanted) if narrow else found


class _Search:
    """One search through a module's values."""

    def __init__(self, spec: ModuleSpec, modules: Sequence[ModuleType], make: bool) -> None:
        self.spec = spec
        self.modules = modules
        self.make = make
        self.found = Definitions()
        self.notes: list[str] = []

    def scan(self) -> None:
        """Take what stands in the modules, and what their factories give."""
        top = self.spec.module.partition(".")[0]
        for module in self.modules:
            for name, value in list(vars(module).items()):
                if name.startswith("__") or not counts(value, top, self.spec.project):
                    continue
                if not self.found.take(value) and name in FACTORIES and callable(value):
                    self.give(name, value)
            for name in FACTORIES:
                if isinstance(vars(module).get(name), (list, tuple)):
                    self.give(name, vars(module)[name])

    def added(self, name: str) -> bool:
        """Take what a factory, a class or a value of that name gives; False if it is none of them."""
        for module in self.modules:
            value: Any = module
            for part in name.split("."):
                value = getattr(value, part, None)
            if value is None or isinstance(value, ModuleType) or hasattr(value, ACTIVITY):
                continue
            before = Definitions()
            if isinstance(value, type) and before.take(value) and not before.classes:
                return False
            self.give(name, value)
            return True
        return False

    def give(self, name: str, source: Any) -> None:
        """Take the instances that a factory returns or a list holds."""
        if not callable(source):
            self._take_all(name, source)
        elif self.make:
            why = unmakeable(source)
            if why:
                raise IntrospectionError(
                    f"the factory {name} ({place_of(source)}) cannot be called: {why}",
                    hint="a factory is a plain function without arguments, or with defaults for all",
                )
            self._take_all(name, calling(source, f"the factory {name} ({place_of(source)})", self.spec))

    def _take_all(self, name: str, given: Any) -> None:
        things = given if isinstance(given, (list, tuple, set, frozenset)) else [given]
        for each in things:
            if not self.found.take(each):
                raise IntrospectionError(
                    f"{name} gives {each!r}, which has no activities and no Nexus operations",
                    hint="methods are decorated with @activity.defn, classes with @nexusrpc.handler.service_handler",
                )

    def make_rest(self) -> None:
        """Make an instance of each class that has none and needs no arguments; note the others."""
        if not self.make:
            for cls in self.found.needy():
                self.found.add_unbound(cls)
            return
        # The most derived first: its instance does for the classes that it is made from.
        for cls in sorted(self.found.needy(), key=lambda each: -len(each.__mro__)):
            if cls in self.found.needy() and not unmakeable(cls):
                self.found.take(calling(cls, f"{cls.__name__}() ({place_of(cls)})", self.spec))
        for cls in self.found.needy():
            self.notes.append(f"{cls.__name__} ({place_of(cls)}) is left out, {unmakeable(cls)}: {GIVE}")


def _told(search: _Search, modules: Sequence[ModuleType]) -> Module:
    found = search.found
    for kind, things in (
        ("workflows of one type", found.workflows),
        ("activities of one name", found.activities),
        ("Nexus services of one name", found.services),
    ):
        for name, one, other in clashes(list(things)):
            raise DuplicateName(f"there are two {kind}: {name}", details=[one, other], hint="rename one of them")
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
    """`TASK_QUEUE` of the module, else its package's name: the same for all that share a package."""
    for module in modules:
        named = vars(module).get(QUEUE)
        if isinstance(named, str) and named:
            return named
    return queue_of(modules[0].__name__)


def queue_of(name: str) -> str:
    """The task queue of a module without `TASK_QUEUE`: its outermost package that is more than a folder."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:count]))
        if getattr(module, "__file__", None):
            return parts[count - 1].replace("_", "-")
    return parts[-1].replace("_", "-")


def _narrowed(found: Module, spec: ModuleSpec) -> Module:
    """Only what goes by the name that was given."""
    name = str(spec.name)

    def meant(each: Any) -> bool:
        function = getattr(each, "function", None)
        names = {each.label, getattr(function, "__name__", None), getattr(function, "__qualname__", None)}
        return name in names or getattr(getattr(each, "cls", None), "__name__", None) == name

    kept = replace(
        found,
        workflows=tuple(filter(meant, found.workflows)),
        activities=tuple(filter(meant, found.activities)),
        nexus_services=tuple(filter(meant, found.nexus_services)),
        notes=(),
    )
    if kept.is_empty:
        known = [each.label for each in found.workflows]
        known += [each.label for each in found.activities]
        known += [each.label for each in found.nexus_services]
        where = found.spec.partition(":")[0]
        raise NotInModule(f"{where} has no workflow, activity, service or factory {name}", hint=nearest(name, known))
    return kept
