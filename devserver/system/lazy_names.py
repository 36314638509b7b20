"""Public names of a package that are loaded when first used, so that importing the package costs nothing.

Type checkers see the names through imports under TYPE_CHECKING.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in devserver/__init__.py, which imports this module
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any


def lazy_names(
    package: str, names: Mapping[str, Iterable[str]], modules: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    Args:
        package: Its `__name__`.
        names: Public names, by the module of the package that defines them.
        modules: Public names that are modules of the package, with their places in it.
    """
    modules = modules or {}
    homes = {name: module for module, defined in names.items() for name in defined}

    def load(name: str) -> Any:
        from importlib import import_module

        if name in modules:
            return import_module(f"{package}.{modules[name]}")
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names_of_package() -> list[str]:
        import sys

        return [*vars(sys.modules[package]), *homes, *modules]

    return load, names_of_package
