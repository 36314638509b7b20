"""Loads scenarios from files and folders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ..environment.module_paths import go_home, name_in
from ..errors import ScenarioInvalid
from .runbook import SEARCH_PATH
from .scenario import Scenario


def scenarios_in(paths: Sequence[Path]) -> list[Scenario]:
    """The scenarios of files and folders, in their order in the file.

    Files of a folder without a scenario (runbooks, helpers) are skipped.

    Raises:
        ScenarioInvalid: A file cannot be loaded, or there is no scenario.
    """
    found: list[Scenario] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(path.glob("*.py")):
                if "Scenario" in file.read_text("utf-8", errors="replace"):
                    found += _scenarios(file)
            continue
        here = _scenarios(path)
        if not here:
            raise ScenarioInvalid(
                f"no scenario in {path}", hint="assign a Scenario(...) to a name at the top level of the file"
            )
        found += here
    if not found:
        raise ScenarioInvalid(f"no scenario in {', '.join(map(str, paths))}")
    return found


def _scenarios(file: Path) -> list[Scenario]:
    found = [replace(item, file=file.resolve()) for item in values_of(file) if isinstance(item, Scenario)]
    return list({id(item): item for item in found}.values())


def values_of(file: Path) -> list[Any]:
    """What the names at the top level of a Python file stand for; a list or tuple stands for its items.

    Raises:
        ScenarioInvalid: The file cannot be loaded.
    """
    found: list[Any] = []
    for value in vars(_load(file)).values():
        found += value if isinstance(value, (list, tuple)) else [value]
    return found


def _load(file: Path) -> ModuleType:
    if not file.is_file():
        raise ScenarioInvalid(f"no such file: {file}")
    whole = file.resolve()
    go_home(whole.parent)  # the runbook's module is there
    name = name_in(whole)
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise ScenarioInvalid(f"not a Python file: {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ScenarioInvalid as error:
        raise ScenarioInvalid(
            f"{file}: {error.message}", details=[*error.details, *_where(error, file)], hint=error.hint
        ) from error
    except Exception as error:
        raise ScenarioInvalid(
            f"cannot load {file}: {type(error).__name__}: {error}",
            details=_where(error, file),
            hint=SEARCH_PATH if isinstance(error, ModuleNotFoundError) else None,
        ) from error
    except SystemExit as error:
        raise ScenarioInvalid(f"cannot load {file}: it calls sys.exit({error.code!r})") from error
    return module


def _where(error: Exception, file: Path) -> list[str]:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return [
        f"{frame.filename}:{frame.lineno}: {frame.line}"
        for frame in frames
        if Path(frame.filename).is_relative_to(file.resolve().parent)
    ]
