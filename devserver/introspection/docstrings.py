"""Reads docstrings: what a thing is for, and what it says of each parameter or field."""

from __future__ import annotations

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Attributes|Fields):\s*$")
_ENTRY = re.compile(r"^(\*{0,2}\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_FIELD = re.compile(r"^:(?:param|ivar|var)(?:\s+[^:]+?)?\s+(\w+):\s*(.*)$")
_OTHER = re.compile(r"^[A-Z][A-Za-z ]+:\s*$")


def doc_of(thing: Any) -> str:
    """The docstring without its sections; empty for what Python writes itself."""
    text = _own(thing)
    kept: list[str] = []
    for line in text.splitlines():
        if _OTHER.match(line) or _FIELD.match(line):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def parameter_docs(thing: Any) -> dict[str, str]:
    """What the sections `Args:` or `Attributes:`, or `:param name:`, say, by name."""
    found: dict[str, str] = {}
    name, inside = "", False
    for line in _own(thing).splitlines():
        field = _FIELD.match(line)
        entry = field or (_ENTRY.match(line.strip()) if inside and line.startswith("    ") else None)
        if _SECTION.match(line):
            inside, name = True, ""
        elif entry and (field or not line.startswith("        ")):
            name = entry[1].lstrip("*")
            found[name] = entry[2].strip()
        elif name and line.startswith("    "):
            found[name] = f"{found[name]} {line.strip()}".strip()
        elif line.strip():
            inside, name = False, ""
    return found


def _own(thing: Any) -> str:
    """The docstring that a person wrote: a dataclass without one gets its signature from Python."""
    text = inspect.cleandoc(thing.__doc__) if isinstance(getattr(thing, "__doc__", None), str) else ""
    if isinstance(thing, type) and text.startswith(f"{thing.__name__}("):
        return ""
    inherited = any(text and inspect.cleandoc(base.__doc__ or "") == text for base in getattr(thing, "__mro__", ())[1:])
    return "" if inherited else text
