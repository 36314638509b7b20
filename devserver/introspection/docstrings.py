"""Reads docstrings: what a thing does, and the description of each parameter or field."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from docstring_parser import Docstring, ParseError, google, numpydoc, rest
from docstring_parser.google import Section, SectionType

# The fields of a dataclass may stand under `Fields:` too.
_GOOGLE = google.GoogleParser([*google.DEFAULT_SECTIONS, Section("Fields", "attribute", SectionType.MULTIPLE)])
_PARAMETERS = {"param", "parameter", "arg", "argument", "attribute", "key", "keyword", "ivar", "var", "cvar"}


def doc_of(thing: Any) -> str:
    """The docstring without its sections; empty for one that Python made."""
    text = _own(thing)
    parsed = _parse(text)
    return text if parsed is None else (parsed.description or "").strip()


def parameter_docs(thing: Any) -> dict[str, str]:
    """The descriptions of parameters or fields by name, in the style of Google, NumPy or Sphinx."""
    parsed = _parse(_own(thing))
    docs: dict[str, str] = {}
    for entry in parsed.meta if parsed is not None else ():
        if len(entry.args) > 1 and entry.args[0] in _PARAMETERS:
            name = getattr(entry, "arg_name", entry.args[-1]).lstrip("*")
            docs[name] = " ".join((entry.description or "").split())
    return docs


@lru_cache
def _parse(text: str) -> Docstring | None:
    """The docstring in the style that finds most in it; None if no style can read it."""
    parsed = []
    for parse in (_GOOGLE.parse, rest.parse, numpydoc.parse):
        try:
            parsed.append(parse(text))
        except ParseError:
            continue
    return max(parsed, key=lambda docstring: len(docstring.meta), default=None)


def _own(thing: Any) -> str:
    """The docstring that a person wrote: Python gives a dataclass its signature, and a class that of its base."""
    text = inspect.cleandoc(thing.__doc__) if isinstance(getattr(thing, "__doc__", None), str) else ""
    if isinstance(thing, type) and text.startswith(f"{thing.__name__}("):
        return ""
    inherited = any(text and inspect.cleandoc(base.__doc__ or "") == text for base in getattr(thing, "__mro__", ())[1:])
    return "" if inherited else text
