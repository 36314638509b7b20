"""Writes plain data as YAML: mappings and lists in block style, every text quoted as JSON does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def dump(value: Any, *comments: str) -> str:
    """The document, with comments above it."""
    return "".join(f"{line}\n" for line in [*(f"# {comment}".rstrip() for comment in comments), *_lines(value)])


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _entry(f"{key}:", each)
    elif isinstance(value, list) and value:
        for each in value:
            first, *rest = _lines(each)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _entry(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{head} {next(_lines(value))}"
