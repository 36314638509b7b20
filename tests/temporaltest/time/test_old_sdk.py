"""An SDK without time skipping on the real server: other tests pass, and those that skip time are skipped."""

from __future__ import annotations

import pytest

from ..conftest import Suite
from ..workers.test_workers import GREET

SUITE = (
    GREET
    + """
from temporalio.worker import Worker
from temporaltest import Environment, SetupError, Time


def test_plain(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


def test_env(temporal_env):
    async def main():
        async with Worker(temporal_env.client, task_queue="q", workflows=[Greet], activities=[compose]):
            return await temporal_env.client.execute_workflow(Greet.run, "Ada", id="g", task_queue="q")

    assert not temporal_env.supports_time_skipping
    assert asyncio.run(main()) == "Hello, Ada"


@pytest.mark.temporal(time_skipping=True)
def test_skips(temporal):
    pass


def test_unmarked(request):
    with pytest.raises(pytest.fail.Exception, match="time_skipping=True"):
        request.getfixturevalue("temporal_time")
"""
)


@pytest.mark.usefixtures("installed")
def test_everything_but_time_skipping_works(suite: Suite) -> None:
    """Tests that skip time are skipped with the SDK version they need; all others pass."""
    suite.file("conftest.py", "import temporalio.testing\n\nvars(temporalio.testing).pop('TimeSkipper', None)\n")
    suite.tests(SUITE)
    result = suite.run()
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*temporalio 1.* has no time skipping on the real server; 1.35 or later*"])
