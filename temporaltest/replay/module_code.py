"""`--temporal-replay-module`: the workflow classes for histories that do not say where their code is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from devserver.introspection import IntrospectionError, find

from ..errors import SetupError
from ..isolation import pytest_run


@dataclass(frozen=True)
class ModuleCode:
    """The workflow classes of modules, and options of the SDK's `Replayer`: their data converter."""

    workflows: Sequence[type] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


_CODE: pytest.StashKey[ModuleCode] = pytest.StashKey()


def of_config(config: pytest.Config) -> ModuleCode:
    """The code of the modules that the option names; imported once.

    Raises:
        SetupError: A module cannot be imported, or has no workflow.
    """
    if _CODE not in config.stash:
        config.stash[_CODE] = _found(config.stash[pytest_run.SETTINGS].replay_module or ())
    return config.stash[_CODE]


def _found(specs: Sequence[str]) -> ModuleCode:
    workflows: list[type] = []
    options: dict[str, Any] = {}
    for spec in specs:
        try:
            module = find(spec, make=False)
        except IntrospectionError as error:
            raise SetupError(f"--temporal-replay-module {spec}: {error}") from None
        if not module.workflows:
            raise SetupError(f"--temporal-replay-module {spec}: the module has no workflow")
        workflows += [workflow.cls for workflow in module.workflows]
        if module.data_converter is not None:
            options["data_converter"] = module.data_converter
    return ModuleCode(workflows, options)
