"""Whether a mock can stand for an activity: the count, the names and the types of its arguments, and its result."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# JSON may stand for any other class: a dataclass, a model.
BUILTIN = (bool, int, float, str, bytes, list, tuple, set, type(None))


@dataclass(frozen=True)
class Shape:
    """What a callable takes by position and gives. `most` is None where it takes any number."""

    text: str
    names: tuple[str, ...]
    types: tuple[Any, ...]
    least: int
    most: int | None
    result: Any


def shape(function: Callable[..., Any]) -> Shape | None:
    """The shape of a callable, or None where Python cannot tell it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    hints = _hints(function)
    parameters = list(signature.parameters.values())
    placed = [each for each in parameters if each.kind in POSITIONAL]
    endless = any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)
    return Shape(
        text=str(signature),
        names=tuple(each.name for each in placed),
        types=tuple(hints.get(each.name, Any) for each in placed),
        least=sum(each.default is inspect.Parameter.empty for each in placed),
        most=None if endless else len(placed),
        result=hints.get("return", Any),
    )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
    try:
        return typing.get_type_hints(target)
    except Exception:  # noqa: BLE001 - annotations are the user's and may name what is not there; then they say nothing
        return {}


def misfit(real: Shape, fake: Shape) -> str | None:
    """Why `fake` cannot stand for `real`, or None."""
    too_few = fake.most is not None and (real.most is None or fake.most < real.most)
    if too_few or fake.least > real.least:
        return f"takes {_count(fake)}, the activity takes {_count(real)}"
    for place, name in enumerate(fake.names):
        if name in real.names and real.names.index(name) != place:
            return f"takes {name!r} at place {place + 1}, the activity at place {real.names.index(name) + 1}"
    for name, wanted, taken in zip(real.names, real.types, fake.types, strict=False):
        if not (fits(wanted, taken) or fits(taken, wanted)):
            return f"takes {_name(taken)} for {name!r}, the activity takes {_name(wanted)}"
    if not fits(fake.result, real.result):
        return f"returns {_name(fake.result)}, the activity returns {_name(real.result)}"
    return None


def wrong_count(real: Shape, count: int) -> str | None:
    """Why the activity cannot be called with so many arguments, or None."""
    if count < real.least or (real.most is not None and count > real.most):
        return f"is called with {count} arguments and takes {_count(real)}: {real.text}"
    return None


def wrong_result(real: Shape, value: Any) -> str | None:
    """Why the activity could not have given `value`, or None. JSON may stand for a class of the user's own."""
    wanted = typing.get_origin(real.result) or real.result
    if isinstance(value, dict) and wanted not in BUILTIN:
        return None
    if fits(type(value), wanted):
        return None
    return f"gives {value!r}, the activity returns {_name(real.result)}"


def fits(given: Any, wanted: Any) -> bool:
    """Whether what has the type `given` may be where `wanted` is; what is not a plain class is taken to fit."""
    if not (_plain(given) and _plain(wanted)) or (wanted is float and given is int):
        return True
    try:
        return issubclass(given, wanted)
    except TypeError:
        return True


def _plain(kind: Any) -> bool:
    """Whether it is a class whose instances can be told: not Any, a union, `list[int]`, a TypedDict or a protocol."""
    special = kind is Any or typing.get_origin(kind) is not None or kind is types.UnionType
    return isinstance(kind, type) and not special and not typing.is_typeddict(kind) and not _is_protocol(kind)


def _is_protocol(kind: Any) -> bool:
    return bool(getattr(kind, "_is_protocol", False))


def _count(taken: Shape) -> str:
    if taken.most is None:
        return f"{taken.least} or more"
    return str(taken.most) if taken.least == taken.most else f"{taken.least} to {taken.most}"


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
