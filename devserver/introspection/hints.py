"""Type hints without their wrappers: the fields of a type, the alternatives of a union, and a short text."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import typing_extensions

from .docstrings import parameter_docs

MISSING: Any = inspect.Parameter.empty
NOTHING = type(None)
_WRAPPERS = tuple(
    getattr(typing_extensions, name)
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
    if hasattr(typing_extensions, name)
)
_UNIONS = (typing.Union, types.UnionType)
_DOC_KEYS = ("doc", "help", "description")


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a dataclass, a model or a TypedDict.

    Attributes:
        name: In Python.
        key: In JSON.
        hint: The bare type; `Any` if there is no hint.
        required: Whether it has no default.
        default: MISSING if there is none, or if a factory makes it.
        doc: Its description; may be empty.
    """

    name: str
    key: str
    hint: Any
    required: bool
    default: Any = MISSING
    doc: str = ""


def bare(hint: Any) -> Any:
    """The type itself: without Annotated, Required, Final, NewType and type aliases."""
    while True:
        if typing.get_origin(hint) is typing.Annotated or typing.get_origin(hint) in _WRAPPERS:
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return NOTHING if hint is None else hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union without None; any other type alone."""
    hint = bare(hint)
    if typing.get_origin(hint) not in _UNIONS:
        return (hint,)
    return tuple(bare(member) for member in typing.get_args(hint) if bare(member) is not NOTHING)


def takes_none(hint: Any) -> bool:
    """Whether None is one of its values."""
    hint = bare(hint)
    if typing.get_origin(hint) in _UNIONS:
        return any(bare(member) is NOTHING for member in typing.get_args(hint))
    return hint in (Any, NOTHING, object)


def fields_of(hint: Any) -> tuple[Field, ...] | None:
    """The fields of a dataclass, a Pydantic model or a TypedDict (or an optional one); None for anything else."""
    kinds = alternatives(hint)
    kind = kinds[0] if len(kinds) == 1 else None
    args = typing.get_args(kind)
    kind = typing.get_origin(kind) or kind
    if not isinstance(kind, type):
        return None
    if dataclasses.is_dataclass(kind):
        known = dict(zip(getattr(kind, "__parameters__", ()), args, strict=False))
        return tuple(
            dataclasses.replace(field, hint=_with_arguments(field.hint, known)) for field in _of_dataclass(kind)
        )
    if is_model(kind):
        return tuple(_of_model(kind))
    if typing_extensions.is_typeddict(kind):
        return tuple(_of_typed_dict(kind))
    return None


def is_model(kind: Any) -> bool:
    """Whether it is a Pydantic model; does not import Pydantic."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def hints_of(thing: Any) -> Mapping[str, Any]:
    """The type hints of a function or class, with `Annotated`; empty if they cannot be evaluated."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # noqa: BLE001 - a hint is the user's code, and may raise anything
        return {}


def annotated_doc(hint: Any) -> str:
    """The text in `Annotated[int, "text"]` or `Annotated[int, Doc("text")]`."""
    for item in getattr(hint, "__metadata__", ()):
        if isinstance(item, str):
            return item
        if isinstance(getattr(item, "documentation", None), str):
            return str(item.documentation)
    return ""


def text_of(hint: Any) -> str:
    """A type as code, without its module: `list[Item]`, `str | None`, `'a' | 'b'`."""
    hint = bare(hint)
    if hint is MISSING or hint is Any:
        return "any"
    if hint is NOTHING:
        return "None"
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return " | ".join(dict.fromkeys(text_of(member) for member in args))
    if origin is Literal:
        return " | ".join(repr(value) for value in args)
    name = getattr(origin or hint, "__name__", None) or str(hint)
    if not args:
        return name
    return f"{name}[{', '.join('...' if argument is ... else text_of(argument) for argument in args)}]"


def _with_arguments(hint: Any, known: Mapping[Any, Any]) -> Any:
    """A hint with its type variables replaced by what they stand for, or by `Any`."""
    if isinstance(hint, typing.TypeVar):
        return known.get(hint, Any)
    variables = getattr(hint, "__parameters__", ()) if typing.get_origin(hint) is not None else ()
    return hint[tuple(known.get(variable, Any) for variable in variables)] if variables else hint


def _of_dataclass(kind: Any) -> typing.Iterator[Field]:
    hints, docs = hints_of(kind), parameter_docs(kind)
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        hint = hints.get(field.name, Any)
        default = MISSING if field.default is dataclasses.MISSING else field.default
        required = default is MISSING and field.default_factory is dataclasses.MISSING
        metadata_doc = next((str(field.metadata[key]) for key in _DOC_KEYS if key in field.metadata), "")
        doc = metadata_doc or getattr(field, "doc", None) or annotated_doc(hint) or docs.get(field.name, "")
        yield Field(field.name, field.name, bare(hint), required, default, doc)


def _of_model(kind: Any) -> typing.Iterator[Field]:
    hints, docs = hints_of(kind), parameter_docs(kind)
    for name, field in kind.model_fields.items():
        alias = field.validation_alias
        choices = getattr(alias, "choices", [alias])
        key = next((choice for choice in choices if isinstance(choice, str)), name)
        required = bool(field.is_required())
        default = MISSING if required or field.default_factory is not None else field.default
        doc = field.description or annotated_doc(hints.get(name)) or docs.get(name, "")
        yield Field(name, key, bare(field.annotation), required, default, doc)


def _of_typed_dict(kind: Any) -> typing.Iterator[Field]:
    docs = parameter_docs(kind)
    for name, hint in hints_of(kind).items():
        # With `from __future__ import annotations`, `__required_keys__` ignores these two.
        marked = {"Required": True, "NotRequired": False}.get(getattr(typing.get_origin(hint), "_name", None) or "")
        required = name in kind.__required_keys__ if marked is None else marked
        yield Field(name, name, bare(hint), required, doc=annotated_doc(hint) or docs.get(name, ""))
