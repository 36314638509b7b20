"""The data converter of a runbook, by its name: every process of a rehearsal imports it."""

from __future__ import annotations

import importlib

from temporalio.converter import DataConverter

from ..errors import ScenarioInvalid


def converter(name: str | None) -> DataConverter:
    """The data converter `module:name`; None: the SDK's default.

    Raises:
        ScenarioInvalid: There is none of that name.
    """
    if name is None:
        return DataConverter.default
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise ScenarioInvalid(
            f"the data converter {name!r} cannot be had: {type(error).__name__}: {error}",
            hint="it is named as module:name, such as temporalio.contrib.pydantic:pydantic_data_converter",
        ) from error
    if not isinstance(found, DataConverter):
        raise ScenarioInvalid(f"{name!r} is no data converter, but {found!r}")
    return found
