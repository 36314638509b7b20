"""The kinds of values that settings have: how one is read from TOML and from a variable, and its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..system.paths import whole
from .durations import parse_duration, parse_seconds
from .option_values import check_name, check_namespace
from .server_options import SEARCH_ATTRIBUTE_TYPES
from .sizes import parse_size

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class WrongValue(ValueError):
    """A value of another type or form than its key has.

    Args:
        must_be: What the value must be.
        value: The value.
        path: The keys that lead from the setting to the value.
    """

    def __init__(self, must_be: str, value: Any, *path: str) -> None:
        super().__init__(must_be)
        self.must_be = must_be
        self.value = value
        self.path = path

    def below(self, key: str) -> WrongValue:
        """The same error for a value in the table `key`."""
        return type(self)(self.must_be, self.value, key, *self.path)


class UnknownKey(WrongValue):
    """A key that a table does not have; `must_be` is one of its keys, `value` all of them."""


class Kind:
    """A kind of values. No dataclass: each of them would cost every start a third of a millisecond.

    Args:
        name: Its name in the docs.
        read: From the value in TOML, and the folder for relative paths, to the value; raises `WrongValue`.
        schema: Its JSON schema.
        typed: From the text of an environment variable to the value as TOML would have it.
    """

    __slots__ = ("name", "read", "schema", "typed")

    def __init__(
        self,
        name: str,
        read: Callable[[Any, Path], Any],
        schema: Mapping[str, Any],
        typed: Callable[[str], Any] = str,
    ) -> None:
        self.name = name
        self.read = read
        self.schema = schema
        self.typed = typed


def _text(value: Any, folder: Path) -> str:
    if not isinstance(value, str) or not value:
        raise WrongValue("a string", value)
    return value


def _path(value: Any, folder: Path) -> Path:
    path = Path(_text(value, folder))
    try:
        return whole(path if str(path).startswith("~") else folder / path)
    except OptionError:
        raise WrongValue("a valid path", value) from None


def _flag(value: Any, folder: Path) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("true or false", value)
    return value


def _port(value: Any, folder: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise WrongValue("a port from 1 to 65535, or 0 for any free port", value)
    return value


def _names(value: Any, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise WrongValue('a list of strings, such as ["orders", "billing"]', value)
    return tuple(value)


def _attributes(value: Any, folder: Path) -> dict[str, str]:
    must_be = 'a table of names and types, such as { CustomerId = "Keyword" }'
    if not isinstance(value, dict):
        raise WrongValue(must_be, value)
    for name, kind in value.items():
        if not isinstance(kind, str) or not kind:
            raise WrongValue(must_be, value)
        if kind not in SEARCH_ATTRIBUTE_TYPES:
            raise WrongValue(f"one of {', '.join(SEARCH_ATTRIBUTE_TYPES)}", kind, name)
    return dict(value)


def _pragmas(value: Any, folder: Path) -> dict[str, str]:
    plain = isinstance(value, dict) and all(
        isinstance(item, str | int) and not isinstance(item, bool) and item != "" for item in value.values()
    )
    if not plain:
        raise WrongValue('a table of pragmas and values, such as { cache_size = "-64000" }', value)
    return {name: str(item) for name, item in value.items()}


def _dynamic(value: Any, folder: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue('a table of keys and values, such as { "limit.maxIDLength" = 255 }', value)
    for key, item in value.items():
        if isinstance(item, dict) and "." not in key:
            raise WrongValue('a table with quoted keys, such as { "limit.maxIDLength" = 255 }', value)
        json_value(item, key)
    return dict(value)


def json_value(value: Any, *path: str) -> Any:
    """A value of TOML that JSON has too: TOML also has dates, and numbers such as `nan`.

    Raises:
        WrongValue: It has another one.
    """
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise WrongValue(
            "a value that JSON has: text, a number, true, false, a list or a table", value, *path
        ) from None
    return value


def _checked(must_be: str, check: Callable[[str], Any]) -> Callable[[Any, Path], str]:
    """A text that another part of devserver reads: the check raises an OptionError."""

    def read(value: Any, folder: Path) -> str:
        if not isinstance(value, str) or not value:
            raise WrongValue(must_be, value)
        try:
            check(value)
        except OptionError as error:
            raise WrongValue(f"{must_be} ({error.message})", value) from None
        return value

    return read


def _flag_of(text: str) -> Any:
    word = text.lower()
    return True if word in _YES else False if word in _NO else text


def _number_of(text: str) -> Any:
    return int(text) if text.isdecimal() else text


def _names_of(text: str) -> Any:
    return [item.strip() for item in text.split(",") if item.strip()]


def _pairs_of(text: str) -> Any:
    pairs = (item.split("=", 1) for item in text.split(","))
    return {pair[0].strip(): pair[1].strip() if len(pair) == 2 else None for pair in pairs}


def json_of(text: str) -> Any:
    """What the JSON of an environment variable means; text that is no JSON as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def choice(*names: str) -> Kind:
    """One of some words."""

    def read(value: Any, folder: Path) -> str:
        if value not in names:
            raise WrongValue(f"one of {', '.join(names)}", value)
        return str(value)

    return Kind(", ".join(f"`{name}`" for name in names), read, {"enum": list(names)})


_FILLED = {"type": "string", "minLength": 1}
_JSON = ["string", "number", "boolean", "array", "object"]

TEXT = Kind("text", _text, _FILLED)
PATH = Kind("path, relative to the file", _path, _FILLED)
FLAG = Kind("true or false", _flag, {"type": "boolean"}, _flag_of)
PORT = Kind("port; 0 is any free one", _port, {"type": "integer", "minimum": 0, "maximum": 65535}, _number_of)
NAMES = Kind("list of texts", _names, {"type": "array", "items": _FILLED}, _names_of)
NAME = Kind("name", _checked("the name of an instance", check_name), _FILLED)
NAMESPACE = Kind("namespace", _checked("the name of a namespace", check_namespace), _FILLED)
DURATION = Kind("duration", _checked("a duration, such as 30d or 12h", lambda text: parse_duration(text, "")), _FILLED)
LIMIT = Kind("duration", _checked("a duration, such as 30s or 1m", lambda text: parse_seconds(text, "")), _FILLED)
SIZE = Kind("size", _checked("a size, such as 1GiB", lambda text: parse_size(text, "")), _FILLED)
ATTRIBUTES = Kind(
    "table of names and types",
    _attributes,
    {"type": "object", "additionalProperties": {"enum": list(SEARCH_ATTRIBUTE_TYPES)}},
    _pairs_of,
)
PRAGMAS = Kind(
    "table of pragmas and values",
    _pragmas,
    {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
    _pairs_of,
)
DYNAMIC = Kind(
    "table of keys and JSON values", _dynamic, {"type": "object", "additionalProperties": {"type": _JSON}}, json_of
)
