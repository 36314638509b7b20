"""Imports the user's module: its output goes to stderr, and its exceptions become errors with the user's own frames."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from .errors import ImportInterrupted, ModuleFailed, ModuleUnknown
from .module_spec import FORM, ModuleSpec

T = TypeVar("T")

OURS = str(Path(__file__).parents[1] / "_")[:-1]
MAX_FRAMES = 12
EXCLUDED = ("__main__", "conftest", "tests", "test")
RUNS_ON_IMPORT = "put what runs the module as a program below: if __name__ == '__main__':"


def load(spec: ModuleSpec) -> list[ModuleType]:
    """Import the module; of a package its submodules too, without tests and `__main__`.

    Raises:
        ModuleUnknown: It does not exist.
        ModuleFailed: It raises, or a submodule does.
    """
    first = load_one(spec)
    return [first, *(_import(name, spec) for name in _submodules(first))]


def load_one(spec: ModuleSpec) -> ModuleType:
    """Import the module alone.

    Raises:
        ModuleUnknown: It does not exist.
        ModuleFailed: It raises.
    """
    spec.extend_path()
    found = _import(spec.module, spec)
    _check_file(found, spec)
    return found


def call(function: Callable[[], T], name: str, spec: ModuleSpec) -> T:
    """Call a function of the user; what it returns.

    Raises:
        ModuleFailed: It raises.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return function()
    except KeyboardInterrupt as error:
        raise _interrupted(name, spec, error) from None
    except BaseException as error:
        raise ModuleFailed(
            f"{name} raises {summary_of(error)}", details=users_traceback(error, spec.project)
        ) from error


def _import(name: str, spec: ModuleSpec) -> ModuleType:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")) and not _frames(error):
            raise _unknown(name, spec) from None
        hint = (
            f"install {error.name} for {sys.executable}, or install temporal-devserver in the project's environment: "
            "a command imports modules from its own environment"
        )
        raise _failed(name, spec, error, hint) from error
    except KeyboardInterrupt as error:
        raise _interrupted(f"the import of {name}", spec, error) from None
    except BaseException as error:
        hint = None
        if isinstance(error, SystemExit):
            hint = RUNS_ON_IMPORT
        raise _failed(name, spec, error, hint) from error


def _interrupted(action: str, spec: ModuleSpec, error: BaseException) -> ImportInterrupted:
    return ImportInterrupted(
        f"interrupted during {action}", details=users_traceback(error, spec.project)[:-1], hint=RUNS_ON_IMPORT
    )


def _failed(name: str, spec: ModuleSpec, error: BaseException, hint: str | None) -> ModuleFailed:
    return ModuleFailed(
        f"cannot import the module {name}: {summary_of(error)}", details=users_traceback(error, spec.project), hint=hint
    )


def summary_of(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, SystemExit):
        return f"SystemExit({error.code!r})"
    lines = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
    return lines[-1 if isinstance(error, SyntaxError) else 0]  # the place comes first in a syntax error


def _unknown(name: str, spec: ModuleSpec) -> ModuleUnknown:
    modules = {module.name for module in pkgutil.iter_modules([str(root) for root in spec.roots])}
    near = difflib.get_close_matches(name.partition(".")[0], modules, n=3)
    searched = [f"searched in {root}" for root in spec.roots]
    hint = f"did you mean {' or '.join(near)}?" if near else FORM
    return ModuleUnknown(f"there is no module {name}", details=searched, hint=hint)


def _check_file(module: ModuleType, spec: ModuleSpec) -> None:
    """Check that the imported module is the file that was given, not another one of that name."""
    found = getattr(module, "__file__", None)
    if spec.file is None or found is None:
        return
    file = spec.file.resolve()
    file = file / "__init__.py" if file.is_dir() else file
    if Path(found).resolve() != file:
        raise ModuleUnknown(f"cannot import {spec.file}: the module {spec.module} is {found}", hint="rename the file")


def _submodules(package: ModuleType) -> Iterator[str]:
    for module in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{package.__name__}."):
        if not is_part(module.name.rpartition(".")[2]):
            continue
        yield module.name
        if module.ispkg and module.name in sys.modules:
            yield from _submodules(sys.modules[module.name])


def is_part(name: str) -> bool:
    """Whether a submodule of that name is imported with its package: `__main__` and tests are not."""
    return not (name in EXCLUDED or name.startswith("test_") or name.endswith("_test"))


def users_traceback(error: BaseException, project: Path) -> list[str]:
    """The traceback from the user's first frame on, without frames of Python's import system and of this package."""
    formatted = traceback.TracebackException.from_exception(error)
    frames = _frames(error)
    theirs = [frame for frame in frames if _is_in(frame.filename, project)] or frames
    last = frames[-1:] if frames and frames[-1] not in theirs else []
    formatted.stack = traceback.StackSummary.from_list([*theirs, *last][-MAX_FRAMES:])
    formatted.__cause__ = formatted.__context__ = None
    return "".join(formatted.format()).rstrip().splitlines()


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    stack = traceback.extract_tb(error.__traceback__)
    return [
        frame
        for frame in stack
        if not frame.filename.startswith((OURS, "<frozen importlib")) and "importlib/__init__" not in frame.filename
    ]


def _is_in(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder) and "site-packages" not in file
