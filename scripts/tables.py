"""Writes tables: moments, faults, drills and expectations (each call, the start of its docstring), and settings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from devserver.rehearsal import at, drills, expect, faults
from scripts.settings_tables import TABLES

MODULES: dict[str, ModuleType] = {
    "at": at,
    "faults": faults,
    "drills": drills,
    "expect": expect,
    "faults.cluster": faults.cluster,
    "faults.database": faults.database,
    "expect.patient": expect.patient,
}
TABLE = re.compile(r"(?ms)^<!-- table of ([\w.]+) -->\n.*?^<!-- end of table -->$")


def with_tables(text: str) -> str:
    """A page's text with current tables."""
    return TABLE.sub(lambda found: "\n".join(_table(found.group(1))), text)


def _table(name: str) -> Iterator[str]:
    yield f"<!-- table of {name} -->"
    if name in TABLES:
        yield from TABLES[name]()
        yield "<!-- end of table -->"
        return
    yield f"| `{name}.` | |"
    yield "|---|---|"
    for function in _functions(MODULES[name]):
        yield f"| `{function.__name__}({_parameters(function)})` | {_first_words(function)} |"
    yield "<!-- end of table -->"


def _functions(module: ModuleType) -> Iterator[Any]:
    home = module.__name__
    for name, member in sorted(vars(module).items()):
        if inspect.isfunction(member) and not name.startswith("_") and member.__module__.startswith(home):
            yield member


def _parameters(function: Any) -> str:
    """The parameters as written in code: names and defaults."""
    shown: list[str] = []
    for each in inspect.signature(function).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not any(word.startswith("*") for word in shown):
            shown.append("*")
        if each.kind is each.VAR_POSITIONAL:
            shown.append(f"*{each.name}")
        elif each.default is each.empty:
            shown.append(each.name)
        elif repr(each.default).startswith("<"):
            shown.append(f"{each.name}=...")
        else:
            shown.append(f"{each.name}={each.default!r}".replace("'", '"'))
    return ", ".join(shown)


def _first_words(function: Any) -> str:
    """The first paragraph, as a cell."""
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("|", "\\|")
