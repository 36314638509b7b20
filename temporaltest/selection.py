"""Which tests a run will run: all that are collected, some of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# Options that collect and run nothing, and options that run some of what is collected.
LOOKING = ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan", "cacheshow", "markers", "help")
CHOOSING = ("keyword", "markexpr", "deselect", "lf", "stepwise")


def runs(config: pytest.Config) -> bool:
    """Whether tests are run at all."""
    return not any(getattr(config.option, name, None) for name in LOOKING)


def runs_all(config: pytest.Config) -> bool:
    """Whether every test that is collected is run."""
    return runs(config) and not any(getattr(config.option, name, None) for name in CHOOSING)


def forks(config: pytest.Config) -> bool:
    """Whether each test runs in a forked child (pytest-forked), where a thread of this process would be missed."""
    return bool(getattr(config.option, "forked", False))
