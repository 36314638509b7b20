"""Which data converter a module's values go through: its own, Pydantic's where it has models, else the SDK's."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .hints import bare, fields_of

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

    from .module_scan import Found

NAME = "data_converter"


def converter_of(modules: Sequence[ModuleType], found: Found) -> DataConverter | None:
    """The value `data_converter` of a module, else Pydantic's if a signature has a model, else None: the SDK's."""
    from temporalio.converter import DataConverter

    for module in modules:
        for name in (NAME, NAME.upper()):
            own = vars(module).get(name)
            if isinstance(own, DataConverter):
                return own
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not any(_mentions(hint, pydantic.BaseModel, {}) for hint in _hints(found)):
        return None
    from temporalio.contrib.pydantic import pydantic_data_converter

    return pydantic_data_converter


def _hints(found: Found) -> Iterator[Any]:
    """Every type that goes in or comes out."""
    definitions = [each.definition for each in found.activities]
    for each in found.workflows:
        of = each.definition
        definitions += [of, *of.signals.values(), *of.queries.values(), *of.updates.values()]
    for definition in definitions:
        yield from definition.arg_types or ()
        yield getattr(definition, "ret_type", None)
    for service in found.services:
        for operation in service.definition.operation_definitions.values():
            yield from (operation.input_type, operation.output_type)


def _mentions(hint: Any, model: type, seen: dict[int, Any]) -> bool:
    hint = bare(hint)
    if id(hint) in seen:
        return False
    seen[id(hint)] = hint  # kept, so that nothing else gets its id
    if isinstance(hint, type) and issubclass(hint, model):
        return True
    parts = [*typing.get_args(hint), *(each.hint for each in fields_of(hint) or ())]
    if is_dataclass(hint):
        parts += [each.type for each in fields(hint)]  # those of `fields_of` need all of their names
    return any(_mentions(part, model, seen) for part in parts)
