"""Type hints as people and tools read them: without wrappers, with their fields, and as short text."""

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

    `key` is its name in JSON, `hint` bare (`Any` where nothing is said), `default` is MISSING if there is none or if it
    is made anew each time.
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
    """The members of a union but None; of another type, the type alone."""
    hint = bare(hint)
    if typing.get_origin(hint) not in _UNIONS:
        return (hint,)
    return tuple(bare(each) for each in typing.get_args(hint) if bare(each) is not NOTHING)


def takes_none(hint: Any) -> bool:
    """Whether None is one of its values."""
    hint = bare(hint)
    if typing.get_origin(hint) in _UNIONS:
        return any(bare(each) is NOTHING for each in typing.get_args(hint))
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
        return tuple(dataclasses.replace(each, hint=_filled(each.hint, known)) for each in _of_dataclass(kind))
    if is_model(kind):
        return tuple(_of_model(kind))
    if typing_extensions.is_typeddict(kind):
        return tuple(_of_typed_dict(kind))
    return None


def is_model(kind: Any) -> bool:
    """Whether it is a Pydantic model; Pydantic is not imported for that."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def hints_of(thing: Any) -> Mapping[str, Any]:
    """The hints of a function or class with what Annotated says; as far as they can be read."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # noqa: BLE001 - a hint is the user's code: an unknown name, or anything else
        return {}


def annotated_doc(hint: Any) -> str:
    """The text in `Annotated[int, "text"]` or `Annotated[int, Doc("text")]`."""
    for each in getattr(hint, "__metadata__", ()):
        if isinstance(each, str):
            return each
        if isinstance(getattr(each, "documentation", None), str):
            return str(each.documentation)
    return ""


def text_of(hint: Any) -> str:
    """A type as one would write it, without its module: `list[Item]`, `str | None`, `'a' | 'b'`."""
    hint = bare(hint)
    if hint is MISSING or hint is Any:
        return "any"
    if hint is NOTHING:
        return "None"
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return " | ".join(dict.fromkeys(text_of(each) for each in args))
    if origin is Literal:
        return " | ".join(repr(each) for each in args)
    name = getattr(origin or hint, "__name__", None) or str(hint)
    if not args:
        return name
    return f"{name}[{', '.join('...' if each is ... else text_of(each) for each in args)}]"


def _filled(hint: Any, known: Mapping[Any, Any]) -> Any:
    """A hint with what its type variables stand for, `Any` where that is not said."""
    if isinstance(hint, typing.TypeVar):
        return known.get(hint, Any)
    open_ones = getattr(hint, "__parameters__", ()) if typing.get_origin(hint) is not None else ()
    return hint[tuple(known.get(each, Any) for each in open_ones)] if open_ones else hint


def _of_dataclass(kind: Any) -> typing.Iterator[Field]:
    hints, docs = hints_of(kind), parameter_docs(kind)
    for each in dataclasses.fields(kind):
        if not each.init:
            continue
        hint = hints.get(each.name, Any)
        default = MISSING if each.default is dataclasses.MISSING else each.default
        required = default is MISSING and each.default_factory is dataclasses.MISSING
        said = next((str(each.metadata[key]) for key in _DOC_KEYS if key in each.metadata), "")
        doc = said or getattr(each, "doc", None) or annotated_doc(hint) or docs.get(each.name, "")
        yield Field(each.name, each.name, bare(hint), required, default, doc)


def _of_model(kind: Any) -> typing.Iterator[Field]:
    hints, docs = hints_of(kind), parameter_docs(kind)
    for name, each in kind.model_fields.items():
        alias = each.validation_alias
        choices = getattr(alias, "choices", [alias])
        key = next((one for one in choices if isinstance(one, str)), name)
        required = bool(each.is_required())
        default = MISSING if required or each.default_factory is not None else each.default
        doc = each.description or annotated_doc(hints.get(name)) or docs.get(name, "")
        yield Field(name, key, bare(each.annotation), required, default, doc)


def _of_typed_dict(kind: Any) -> typing.Iterator[Field]:
    docs = parameter_docs(kind)
    for name, hint in hints_of(kind).items():
        # `from __future__ import annotations` hides these two words from Python's own record of required keys.
        said = {"Required": True, "NotRequired": False}.get(getattr(typing.get_origin(hint), "_name", None) or "")
        required = name in kind.__required_keys__ if said is None else said
        yield Field(name, name, bare(hint), required, doc=annotated_doc(hint) or docs.get(name, ""))
