"""Adoption: the SDK's `WorkflowEnvironment.start_local()` and its like, answered with the shared server of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PLUGIN = "temporal-adoption"


def register(config: pytest.Config) -> None:
    """Adopt environments where tests run; the controller of xdist only shows what was not adopted."""
    if not hasattr(config, "workerinput") and getattr(config.option, "tx", None):
        from .summary import AdoptionSummary

        config.pluginmanager.register(AdoptionSummary(), PLUGIN)
        return
    from ..isolation.session import import_sdk

    import_sdk()
    from .hooks import AdoptionHooks

    config.pluginmanager.register(AdoptionHooks(config), PLUGIN)
