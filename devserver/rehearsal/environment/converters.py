"""The data converter of a runbook, by name: every process of a rehearsal imports it."""

from __future__ import annotations

import importlib

from temporalio.converter import DataConverter

from ..errors import ScenarioInvalid


def converter(name: str | None) -> DataConverter:
    """The data converter `module:name`; None: the SDK's default.

    Raises:
        ScenarioInvalid: It cannot be imported, or is not a data converter.
    """
    if name is None:
        return DataConverter.default
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise ScenarioInvalid(
            f"cannot import the data converter {name!r}: {type(error).__name__}: {error}",
            hint="use module:name, such as temporalio.contrib.pydantic:pydantic_data_converter",
        ) from error
    if not isinstance(found, DataConverter):
        raise ScenarioInvalid(f"{name!r} is not a data converter, but {found!r}")
    return found
