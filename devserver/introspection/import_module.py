"""Imports a user's module: what it prints goes to stderr, what it raises comes back as the user's own frames."""

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
MOST_FRAMES = 12
NO_PARTS = ("__main__", "conftest", "tests", "test")
RUNS_ON_IMPORT = "what a module does when it is run as a program stands below: if __name__ == '__main__':"


def load(spec: ModuleSpec) -> list[ModuleType]:
    """The module; of a package its submodules too, but for tests and `__main__`.

    Raises:
        ModuleUnknown: There is none.
        ModuleFailed: It raises, or something in it.
    """
    first = load_one(spec)
    return [first, *(_import(name, spec) for name in _submodules(first))]


def load_one(spec: ModuleSpec) -> ModuleType:
    """The module alone.

    Raises:
        ModuleUnknown: There is none.
        ModuleFailed: It raises.
    """
    spec.on_path()
    found = _import(spec.module, spec)
    _see_that_it_is_ours(found, spec)
    return found


def calling(function: Callable[[], T], what: str, spec: ModuleSpec) -> T:
    """What the user's function returns.

    Raises:
        ModuleFailed: It raises.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return function()
    except KeyboardInterrupt as error:
        raise _interrupted(what, spec, error) from None
    except BaseException as error:
        raise ModuleFailed(f"{what} fails: {said_of(error)}", details=users_traceback(error, spec.project)) from error


def _import(name: str, spec: ModuleSpec) -> ModuleType:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")) and not _frames(error):
            raise _unknown(name, spec) from None
        hint = (
            f"install {error.name} for {sys.executable}; the command runs in that environment, so temporal-devserver "
            "belongs into the project's own"
        )
        raise _fails(name, spec, error, hint) from error
    except KeyboardInterrupt as error:
        raise _interrupted(f"the import of {name}", spec, error) from None
    except BaseException as error:
        hint = None
        if isinstance(error, SystemExit):
            hint = RUNS_ON_IMPORT
        raise _fails(name, spec, error, hint) from error


def _interrupted(what: str, spec: ModuleSpec, error: BaseException) -> ImportInterrupted:
    return ImportInterrupted(
        f"interrupted: {what} was not over", details=users_traceback(error, spec.project)[:-1], hint=RUNS_ON_IMPORT
    )


def _fails(name: str, spec: ModuleSpec, error: BaseException, hint: str | None) -> ModuleFailed:
    return ModuleFailed(
        f"the module {name} does not import: {said_of(error)}", details=users_traceback(error, spec.project), hint=hint
    )


def said_of(error: BaseException) -> str:
    """An exception in a line."""
    if isinstance(error, SystemExit):
        return f"it ends with sys.exit({error.code!r})"
    lines = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
    return lines[-1 if isinstance(error, SyntaxError) else 0]  # of a syntax error the place comes first


def _unknown(name: str, spec: ModuleSpec) -> ModuleUnknown:
    there = {each.name for each in pkgutil.iter_modules([str(root) for root in spec.roots])}
    near = difflib.get_close_matches(name.partition(".")[0], there, n=3)
    looked = [f"looked in {root}" for root in spec.roots]
    hint = f"did you mean {' or '.join(near)}?" if near else FORM
    return ModuleUnknown(f"there is no module {name}", details=looked, hint=hint)


def _see_that_it_is_ours(module: ModuleType, spec: ModuleSpec) -> None:
    """A module of that name that was there before is not the file that was given."""
    found = getattr(module, "__file__", None)
    if spec.file is None or found is None:
        return
    wanted = spec.file.resolve()
    wanted = wanted / "__init__.py" if wanted.is_dir() else wanted
    if Path(found).resolve() != wanted:
        raise ModuleUnknown(
            f"{spec.file} cannot be imported: the module {spec.module} is {found}", hint="rename the file"
        )


def _submodules(package: ModuleType) -> Iterator[str]:
    for each in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{package.__name__}."):
        if not is_part(each.name.rpartition(".")[2]):
            continue
        yield each.name
        if each.ispkg and each.name in sys.modules:
            yield from _submodules(sys.modules[each.name])


def is_part(name: str) -> bool:
    """Whether a submodule of that name counts as its package's: not `__main__`, not tests."""
    return not (name in NO_PARTS or name.startswith("test_") or name.endswith("_test"))


def users_traceback(error: BaseException, project: Path) -> list[str]:
    """The traceback from the user's first frame on, without Python's own importing and ours."""
    told = traceback.TracebackException.from_exception(error)
    kept = _frames(error)
    theirs = [each for each in kept if _is_in(each.filename, project)] or kept
    last = kept[-1:] if kept and kept[-1] not in theirs else []
    told.stack = traceback.StackSummary.from_list([*theirs, *last][-MOST_FRAMES:])
    told.__cause__ = told.__context__ = None
    return "".join(told.format()).rstrip().splitlines()


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    stack = traceback.extract_tb(error.__traceback__)
    return [
        each
        for each in stack
        if not each.filename.startswith((OURS, "<frozen importlib")) and "importlib/__init__" not in each.filename
    ]


def _is_in(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder) and "site-packages" not in file
