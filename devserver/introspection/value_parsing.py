"""Parses text from a command line as a value of a type, in its JSON form."""

from __future__ import annotations

import datetime
import decimal
import enum
import inspect
import json
import re
import typing
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from .hints import MISSING, NOTHING, alternatives, fields_of, takes_none

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")


def _number(kind: Callable[[str], Any], name: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return kind(text)
        except (ValueError, ArithmeticError):
            raise ValueError(f"{text!r} is not {name}") from None

    return parse


def _bool(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"{text!r} is not true or false")
    return known[text.lower()]


def _iso(kind: Any, example: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            # Python 3.10 does not know the Z.
            return str(kind.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)).isoformat())
        except ValueError:
            raise ValueError(f"{text!r} does not have the form {example}") from None

    return parse


def _duration(text: str) -> float | str:
    """A duration in seconds; an ISO 8601 duration stays a text."""
    if re.fullmatch(r"-?P.+", text):
        return text
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"{text!r} is not a duration such as 90s, 1h30m or 2d")
    return sum(float(count) * _SECONDS[unit] for count, unit in parts)


def _float(text: str) -> float:
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


PARSERS: Mapping[type, tuple[str, Callable[[str], Any]]] = {
    str: ("TEXT", str),
    int: ("INTEGER", _number(int, "a whole number")),
    float: ("NUMBER", _number(_float, "a number")),
    bool: ("true|false", _bool),
    decimal.Decimal: ("DECIMAL", _number(lambda text: str(decimal.Decimal(text)), "a decimal number")),
    uuid.UUID: ("UUID", _number(lambda text: str(uuid.UUID(text)), "a UUID")),
    datetime.datetime: ("DATETIME", _iso(datetime.datetime, "2026-11-22T15:40:04+00:00")),
    datetime.date: ("DATE", _iso(datetime.date, "2026-11-22")),
    datetime.time: ("TIME", _iso(datetime.time, "15:40:04")),
    datetime.timedelta: ("DURATION", _duration),
    bytes: ("TEXT", str),
}

_MANY = (list, set, frozenset, deque)
_ABSTRACT_MANY = {getattr(typing, name).__origin__ for name in ("Sequence", "Iterable", "Collection", "Set", "List")}


def is_many(hint: Any) -> bool:
    """Whether a type is a collection of one type: a list, a set, `tuple[int, ...]`."""
    return element_of(hint) is not MISSING


def element_of(hint: Any) -> Any:
    """The type of the elements of a collection; MISSING for any other type."""
    kinds = alternatives(hint)
    if len(kinds) != 1:
        return MISSING
    origin, args = typing.get_origin(kinds[0]) or kinds[0], typing.get_args(kinds[0])
    if origin is tuple:
        return args[0] if len(args) == 2 and args[1] is ... else MISSING
    many = origin in _ABSTRACT_MANY or (isinstance(origin, type) and issubclass(origin, _MANY))
    return (args[0] if args else Any) if many else MISSING


def choices_of(hint: Any) -> tuple[str, ...]:
    """The words for the values of an enum or a Literal; empty for any other type."""
    return tuple(_choices(hint))


def word_of(value: Any, hint: Any) -> str:
    """A default as it is written on a command line."""
    for word, choice in _choices(hint).items():
        if choice == getattr(value, "value", value):
            return word
    return _word(plain(value))


def is_flag(hint: Any) -> bool:
    """Whether a type is a bool, or an optional one."""
    return alternatives(hint) == (bool,)


def kind_of(hint: Any) -> str:
    """The metavar of a type in help texts: NUMBER, TEXT, JSON, a list of choices."""
    choices = choices_of(hint)
    if choices:
        return f"[{'|'.join(choices)}]"
    kinds = alternatives(hint)
    if len(kinds) == 1 and _is_opaque(kinds[0]):
        return "TEXT"
    return PARSERS[kinds[0]][0] if len(kinds) == 1 and _reader(kinds[0]) else "JSON"


def read(text: str, hint: Any) -> Any:
    """The JSON form of the value that `text` stands for.

    Raises:
        ValueError: It is no value of that type; the message says what is.
    """
    kinds = alternatives(hint)
    if text == "null" and takes_none(hint) and kinds != (str,):
        return None
    choices = _choices(hint)
    if choices:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return choices[text]
    reader = _reader(kinds[0]) if len(kinds) == 1 else None
    if reader is not None:
        return reader(text)
    if len(kinds) == 1 and _is_opaque(kinds[0]):
        return _json_or_text(text) if text.lstrip()[:1] in ("{", "[", '"') else text
    if kinds in ((Any,), (object,)) or (str in kinds and fields_of(hint) is None):
        return _json_or_text(text)
    return read_json(text)


def read_many(texts: Sequence[str], hint: Any) -> list[Any]:
    """The JSON form of a collection: one value for each text, or one text with all of it as JSON.

    Raises:
        ValueError: One is no value of the elements' type.
    """
    element = element_of(hint)
    if len(texts) == 1 and texts[0].lstrip().startswith("["):
        whole = read_json(texts[0])
        if isinstance(whole, list):
            return whole
    return [read(text, element) for text in texts]


def read_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text!r} is not JSON: {error}") from None


def plain(value: Any) -> Any:
    """A value as JSON has it; its `repr` if JSON cannot express it."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime.timedelta):
        return f"PT{value.total_seconds():.15g}S"
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return (
            str(value) if isinstance(value, (datetime.date, datetime.time, uuid.UUID, decimal.Decimal)) else repr(value)
        )


def _choices(hint: Any) -> dict[str, Any]:
    kinds = alternatives(hint)
    if kinds and all(typing.get_origin(kind) is Literal for kind in kinds):
        return {_word(value): value for kind in kinds for value in typing.get_args(kind)}
    single = kinds[0] if len(kinds) == 1 else None
    if not (inspect.isclass(single) and issubclass(single, enum.Enum)) or issubclass(single, enum.Flag):
        return {}
    values = [member.value for member in single]
    if all(isinstance(value, str) for value in values):
        return {value: value for value in values}
    return {member.name: member.value for member in single}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_opaque(kind: Any) -> bool:
    """Whether only the data converter knows its JSON form, which is mostly a text: a URL, a path, a secret."""
    if not isinstance(kind, type) or kind in (*PARSERS, object, NOTHING) or fields_of(kind) is not None:
        return False
    return not issubclass(kind, (int, float, enum.Enum, Mapping, tuple, *_MANY))


def _reader(kind: Any) -> Callable[[str], Any] | None:
    found = PARSERS.get(kind) if isinstance(kind, type) else None
    return found[1] if found else None


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
