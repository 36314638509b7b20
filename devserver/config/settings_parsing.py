"""Checks of the values of settings: one reader per key, for TOML values and environment variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..system.paths import whole

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})

# (value, folder for relative paths) -> value. A ValueError says what the value must be.
Reader = Callable[[Any, Path], Any]


def _text(value: Any, folder: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a string")
    return value


def _path(value: Any, folder: Path) -> Path:
    path = Path(_text(value, folder))
    try:
        return whole(path if str(path).startswith("~") else folder / path)
    except OptionError:
        raise ValueError("a valid path") from None


def _flag(value: Any, folder: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _port(value: Any, folder: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError("a port from 1 to 65535, or 0 for any free port")
    return value


def _names(value: Any, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError('a list of strings, such as ["orders", "billing"]')
    return tuple(value)


def _attributes(value: Any, folder: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) and item for item in value.values()):
        raise ValueError('a table of names and types, such as { CustomerId = "Keyword" }')
    return dict(value)


READERS: dict[str, Reader] = {
    "binary": _path,
    "version": _text,
    "source": _text,
    "offline": _flag,
    "base-url": _text,
    "require-pinned": _flag,
    "accept-sha256": _text,
    "tuning": _text,
    "port": _port,
    "ui-port": _port,
    "namespaces": _names,
    "search-attributes": _attributes,
    "ephemeral-size": _text,
    "retention": _text,
}


def typed(reader: Reader, text: str) -> Any:
    """The value of an environment variable in the type that its key has in a TOML file."""
    if reader is _flag:
        word = text.lower()
        return True if word in _YES else False if word in _NO else text
    if reader is _port:
        return int(text) if text.isdecimal() else text
    if reader is _names:
        return [item.strip() for item in text.split(",") if item.strip()]
    if reader is _attributes:
        pairs = (item.split("=", 1) for item in text.split(","))
        return {pair[0].strip(): pair[1].strip() if len(pair) == 2 else None for pair in pairs}
    return text
