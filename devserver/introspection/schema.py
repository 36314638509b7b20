"""Types as JSON Schema: what a caller in any language has to send."""

from __future__ import annotations

import datetime
import decimal
import enum
import inspect
import typing
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from .hints import MISSING, NOTHING, alternatives, fields_of, takes_none, text_of
from .value_parsing import element_of, plain

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "contentEncoding": "binary"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
}


def schema_of(hint: Any, seen: tuple[Any, ...] = ()) -> dict[str, Any]:
    """The schema of a type; `{}` is anything. A type inside itself has a title only."""
    if hint is MISSING:
        return {}
    schemas = [_schema(member, seen) for member in alternatives(hint)]
    if takes_none(hint) and hint not in (Any, object, NOTHING):
        schemas.append({"type": "null"})
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}


def _schema(kind: Any, seen: tuple[Any, ...]) -> dict[str, Any]:
    origin, args = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is Literal:
        return {"enum": [plain(value) for value in args]}
    if isinstance(kind, type) and kind in _PLAIN:
        return dict(_PLAIN[kind])
    if inspect.isclass(origin) and issubclass(origin, enum.Enum):
        return {"title": origin.__name__, "enum": [plain(member) for member in origin]}
    if fields_of(kind) is not None:
        return _object(kind, seen)
    element = element_of(kind)
    if element is not MISSING:
        return {"type": "array", "items": schema_of(element, seen)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [schema_of(item, seen) for item in args]}
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        values = schema_of(args[1], seen) if len(args) == 2 else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    return {} if kind in (Any, object) else {"title": text_of(kind)}


def _object(kind: Any, seen: tuple[Any, ...]) -> dict[str, Any]:
    title = text_of(kind)
    if kind in seen:
        return {"type": "object", "title": title}
    fields = fields_of(kind) or ()
    properties = {}
    for field in fields:
        properties[field.key] = schema_of(field.hint, (*seen, kind))
        if field.doc:
            properties[field.key]["description"] = field.doc
        if field.default is not MISSING:
            properties[field.key]["default"] = plain(field.default)
    required = [field.key for field in fields if field.required]
    return {"type": "object", "title": title, "properties": properties, **({"required": required} if required else {})}
