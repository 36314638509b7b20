"""Whether a mock matches an activity: the number, names and types of its arguments, and its result."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# A JSON object may replace an instance of any other class: a dataclass, a model.
BUILTIN = (bool, int, float, str, bytes, list, tuple, set, type(None))


@dataclass(frozen=True)
class CallSignature:
    """The positional arguments and the result of a callable. `maximum` is None if it takes any number."""

    text: str
    names: tuple[str, ...]
    types: tuple[Any, ...]
    minimum: int
    maximum: int | None
    result: Any


def signature_of(function: Callable[..., Any]) -> CallSignature | None:
    """The signature of a callable; None if Python cannot determine it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    hints = _hints(function)
    parameters = list(signature.parameters.values())
    positional = [parameter for parameter in parameters if parameter.kind in POSITIONAL]
    variadic = any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    return CallSignature(
        text=str(signature),
        names=tuple(parameter.name for parameter in positional),
        types=tuple(hints.get(parameter.name, Any) for parameter in positional),
        minimum=sum(parameter.default is inspect.Parameter.empty for parameter in positional),
        maximum=None if variadic else len(positional),
        result=hints.get("return", Any),
    )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
    try:
        return typing.get_type_hints(target)
    except Exception:  # noqa: BLE001 - a user's annotations may name what is not importable; then there are none
        return {}


def mismatch(real: CallSignature, fake: CallSignature) -> str | None:
    """Why `fake` cannot replace `real`; None if it can."""
    too_few = fake.maximum is not None and (real.maximum is None or fake.maximum < real.maximum)
    if too_few or fake.minimum > real.minimum:
        return f"takes {_count(fake)}, the activity takes {_count(real)}"
    for position, name in enumerate(fake.names):
        if name in real.names and real.names.index(name) != position:
            expected = real.names.index(name) + 1
            return f"takes {name!r} as argument {position + 1}, the activity as argument {expected}"
    for name, expected_type, own_type in zip(real.names, real.types, fake.types, strict=False):
        if not (accepts(own_type, expected_type) or accepts(expected_type, own_type)):
            return f"takes {_name(own_type)} for {name!r}, the activity takes {_name(expected_type)}"
    if not accepts(real.result, fake.result):
        return f"returns {_name(fake.result)}, the activity returns {_name(real.result)}"
    return None


def wrong_count(real: CallSignature, count: int) -> str | None:
    """Why the activity cannot be called with `count` arguments; None if it can."""
    if count < real.minimum or (real.maximum is not None and count > real.maximum):
        return f"is called with {count} arguments and takes {_count(real)}: {real.text}"
    return None


def wrong_result(real: CallSignature, value: Any) -> str | None:
    """Why the activity cannot return `value`; None if it can. A JSON object may replace an instance of a class."""
    expected = typing.get_origin(real.result) or real.result
    if isinstance(value, dict) and expected not in BUILTIN:
        return None
    if accepts(expected, type(value)):
        return None
    return f"returns {value!r}, the activity returns {_name(real.result)}"


def accepts(expected: Any, own: Any) -> bool:
    """Whether a value of the type `own` may be where `expected` is; true for anything but plain classes."""
    if not (_plain(own) and _plain(expected)) or (expected is float and own is int):
        return True
    try:
        return issubclass(own, expected)
    except TypeError:
        return True


def _plain(kind: Any) -> bool:
    """Whether isinstance works with it: not Any, a union, `list[int]`, a TypedDict or a protocol."""
    special = kind is Any or typing.get_origin(kind) is not None or kind is types.UnionType
    return isinstance(kind, type) and not special and not typing.is_typeddict(kind) and not _is_protocol(kind)


def _is_protocol(kind: Any) -> bool:
    return bool(getattr(kind, "_is_protocol", False))


def _count(signature: CallSignature) -> str:
    minimum, maximum = signature.minimum, signature.maximum
    if maximum is None:
        return f"{minimum} or more"
    return str(maximum) if minimum == maximum else f"{minimum} to {maximum}"


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
