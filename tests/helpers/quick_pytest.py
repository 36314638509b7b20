"""What pytest asks again in each run about modules that the fork server has imported, asked once before it forks.

The answers are the same. To find them takes half of the CPU time of a run with one test: it reads each name of each
plugin, and goes through all modules for each plugin; in a fork that also copies the memory of what is only read.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def prepare() -> None:
    """Answer for the plugins that are imported."""
    plugins = list(_plugins())
    _remember_fixtures(plugins)
    _remember_parameters(plugins)
    _find_hooks()
    _look_up_names()
    _begin_config()


def _plugins() -> Iterator[types.ModuleType]:
    names = {point.value.partition(":")[0] for point in importlib.metadata.entry_points(group="pytest11")}
    for name, module in list(sys.modules.items()):
        if name in names or name.startswith("_pytest."):
            yield module


def _remember_fixtures(plugins: list[types.ModuleType]) -> None:
    """Have pytest look for the fixtures of a plugin in a module that has nothing else."""
    from _pytest.compat import NOTSET
    from _pytest.fixtures import FixtureFunctionDefinition, FixtureManager

    known: dict[types.ModuleType, types.ModuleType | None] = {}
    for plugin in plugins:
        fixtures = {name: value for name, value in vars(plugin).items() if type(value) is FixtureFunctionDefinition}
        known[plugin] = types.ModuleType(plugin.__name__) if fixtures else None
        if fixtures:
            vars(known[plugin]).update(fixtures)
    parse = FixtureManager.parsefactories

    def parsefactories(self: Any, *old: Any, holder: Any = NOTSET, **more: Any) -> None:
        if isinstance(holder, types.ModuleType) and holder in known:
            holder = known[holder]
        if holder is NOTSET or (holder is not None and not has_none(type(holder))):
            parse(self, *old, holder=holder, **more)

    def has_none(kind: type) -> bool:
        """Whether it is a class of pytest's own without fixtures, of which an object is registered as a plugin."""
        return kind.__module__.startswith("_pytest.") and not any(
            type(value) is FixtureFunctionDefinition for base in kind.__mro__ for value in vars(base).values()
        )

    FixtureManager.parsefactories = parsefactories  # type: ignore[method-assign]


def _remember_parameters(plugins: list[types.ModuleType]) -> None:
    """Have the names of the parameters of each hook ready."""
    from pluggy import _hooks, _impl

    find: Callable[..., Any] = vars(_impl)["varnames"]
    known = {
        hook: find(hook)
        for plugin in plugins
        for name, hook in vars(plugin).items()
        if name.startswith("pytest_") and isinstance(hook, types.FunctionType)
    }

    def varnames(hook: Any, **more: Any) -> Any:
        found = known.get(hook) if isinstance(hook, types.FunctionType) and not more else None
        return find(hook, **more) if found is None else found

    for module in (_hooks, _impl):
        vars(module)["varnames"] = varnames


def _find_hooks() -> None:
    """Find a function of a module, or of pytest's own classes, by its name: none of them has descriptors."""
    from pluggy import _manager

    find: Callable[..., Any] = vars(_manager)["_static_hook_attr"]

    def static_hook_attr(plugin: object, name: str) -> Any:
        if isinstance(plugin, types.ModuleType):
            found = vars(plugin).get(name)
            if isinstance(found, types.FunctionType):
                return found, found
        elif not isinstance(plugin, type) and type(plugin).__module__.startswith("_pytest."):
            found = next((vars(base)[name] for base in type(plugin).__mro__ if name in vars(base)), None)
            if isinstance(found, types.FunctionType) and name not in vars(plugin):
                return found, types.MethodType(found, plugin)
        return find(plugin, name)

    vars(_manager)["_static_hook_attr"] = static_hook_attr


def _begin_config() -> None:
    """Register the plugins that every run has."""
    from _pytest import config

    get_config = config.get_config
    ready = [get_config()]

    def quick(args: Any = None, plugins: Any = None, *, prog: str | None = None) -> config.Config:
        words = [word.removeprefix("-p").strip() for word in args or () if isinstance(word, str)]
        blocked = {word.partition(":")[2].removeprefix("pytest_") for word in words if word.startswith("no:")}
        if not ready or blocked.intersection(config.default_plugins) or "PYTEST_DEBUG" in os.environ:
            return get_config(args, plugins, prog=prog)
        begun = ready.pop()
        begun.invocation_params = config.Config.InvocationParams(args=args or (), plugins=plugins, dir=Path.cwd())
        begun._parser.prog = prog or os.path.basename(sys.argv[0])  # noqa: PTH119 - as argparse has it
        begun.pluginmanager.consider_preparse(args or (), exclude_only=True)
        return begun

    vars(config)["get_config"] = quick


def _look_up_names() -> None:
    """Look whether the modules of a plugin are imported, not which of all modules are the plugin's."""
    from _pytest.assertion.rewrite import AssertionRewriter, AssertionRewritingHook

    def mark_rewrite(self: AssertionRewritingHook, *names: str) -> None:
        for name in {name for name in names if name in sys.modules and name not in self._rewritten_names}:
            module = sys.modules[name]
            disabled = AssertionRewriter.is_rewrite_disabled(module.__doc__ or "")
            if not disabled and not isinstance(module.__loader__, type(self)):
                self._warn_already_imported(name)
        self._must_rewrite.update(names)
        self._marked_for_rewrite_cache.clear()

    AssertionRewritingHook.mark_rewrite = mark_rewrite  # type: ignore[method-assign]
