"""The fixture of a scenario: what its runbook works on, set up before each run and torn down after it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...system.threads import async_block
from ..errors import FixtureFailed
from ..scenario.scenario import Scenario


@contextlib.asynccontextmanager
async def scenario_fixture(scenario: Scenario, folder: Path) -> AsyncIterator[Any]:
    """Set up the scenario's fixture for a run in `folder`, yield its value (None without a fixture), and tear it down.

    The fixture is set up and torn down in a thread, so it may block; a cancelled caller waits until that is done.

    Raises:
        WorldFailed: The fixture cannot be set up or torn down; says why.
    """
    if scenario.fixture is None:
        yield None
        return
    try:
        block = async_block(scenario.fixture(folder))
        value = await block.__aenter__()
    except Exception as error:
        raise FixtureFailed(f"cannot set up the scenario's fixture: {_text(error)}") from error
    try:
        yield value
    finally:
        try:
            await block.__aexit__(None, None, None)
        except Exception as error:
            raise FixtureFailed(f"cannot tear down the scenario's fixture: {_text(error)}") from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
