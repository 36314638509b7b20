"""A bug or non-determinism in workflow code fails the test at once."""

from __future__ import annotations

from .conftest import Suite

GREET = """
@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


def test_greets(temporal):
    temporal.worker(workflows=[Greet])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""


def test_suite_runs(every_way: Suite) -> None:
    """A three-line test passes whether xdist is used or not."""
    every_way.tests(GREET)
    every_way.passes(passed=1)
