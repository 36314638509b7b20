"""The kinds of values in a report. A key that ends with `_` may be missing."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
TEXT0: dict[str, Any] = {"type": ["string", "null"]}
INT: dict[str, Any] = {"type": "integer"}
INT0: dict[str, Any] = {"type": ["integer", "null"]}
NUMBER: dict[str, Any] = {"type": "number"}
NUMBER0: dict[str, Any] = {"type": ["number", "null"]}
FLAG: dict[str, Any] = {"type": "boolean"}
FLAG0: dict[str, Any] = {"type": ["boolean", "null"]}
FORM: dict[str, Any] = {"const": 1}
Schema = dict[str, Any]
ANY: Schema = {}


def many(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def one_of(*words: str | None) -> Schema:
    """One of some words."""
    return {"enum": list(words)}


def by_name(values: Schema) -> Schema:
    """An object whose keys are names."""
    return {"type": "object", "additionalProperties": values}


def record(**fields: Schema) -> Schema:
    """An object with these keys; `key_` may be missing."""
    properties = {name.rstrip("_"): schema for name, schema in fields.items()}
    return {"type": "object", "required": [name for name in fields if not name.endswith("_")], "properties": properties}


def or_null(schema: Schema) -> Schema:
    """A value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def document(title: str, **fields: Schema) -> Schema:
    """An object with a form."""
    return {"title": title, **record(form=FORM, **fields)}


TEXTS = many(TEXT)
PLACE = {"address": TEXT, "namespace": TEXT}
