"""`@pytest.mark.payload_budget`: a test fails if its workflows send more data than allowed, and the error says what."""

from __future__ import annotations

from ..conftest import Suite

WORK = """
@activity.defn
async def grow(size: int) -> str:
    return "x" * size


@workflow.defn
class Grows:
    @workflow.run
    async def run(self, size: int) -> int:
        text = await workflow.execute_activity(grow, size, start_to_close_timeout=timedelta(seconds=5))
        return len(text)


def grown(temporal, size):
    temporal.worker(workflows=[Grows], activities=[grow])
    assert temporal.execute(Grows.run, size, id="grows") == size
"""

BUDGETS = f"""
{WORK}

@pytest.mark.payload_budget("64KB")
def test_small(temporal):
    grown(temporal, 1000)


@pytest.mark.payload_budget("64KB")
def test_large(temporal):
    grown(temporal, 80_000)


@pytest.mark.payload_budget("1MB", total="64KB", history=60_000)
@pytest.mark.temporal(replay=False)
def test_much(temporal):
    grown(temporal, 80_000)
"""

STORED = f"""
{WORK}
import dataclasses


@pytest.fixture(scope="session")
def temporal_client_options():
    from devserver.payloads import LargePayloads

    return {{"plugins": [LargePayloads(threshold="10KB")]}}


@pytest.mark.payload_budget(history="30KB")
def test_history(temporal):
    grown(temporal, 300_000)


@pytest.mark.payload_budget("64KB")
def test_sent(temporal):
    grown(temporal, 300_000)
"""

WRONG = """
@pytest.mark.payload_budget({words})
def test_it({fixture}):
    pass
"""


def test_exceeded_budget(suite: Suite) -> None:
    """The error names run, event, activity and size; a test within its budget passes."""
    suite.tests(BUDGETS)
    result = suite.run()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*payloads are larger than this test's budget:",
            "*  Grows *grows: 1 above 64.0 kB",
            "*    event *: result of the activity grow: 80.0 kB",
            "*  Grows *grows: 80.* kB in total, above 64.0 kB; the largest:",
            "*  Grows *grows: a history of 8*.* kB, above 60.0 kB; the largest:",
        ]
    )


def test_externally_stored_payloads_count(suite: Suite) -> None:
    """With LargePayloads the history is small, but the budget counts the payloads themselves."""
    suite.tests(STORED)
    result = suite.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*: result of the activity grow: 300.0 kB, stored outside the history"])


def test_invalid_budget(suite: Suite) -> None:
    """An invalid size, an unknown word, and a test without its own workflow are usage errors."""
    for words, fixture, message in (
        ('"large"', "temporal", "mark.payload_budget(largest=...): 'large' is not a size"),
        ('most="1KB"', "temporal", "mark.payload_budget takes one size or keywords: largest, total, history"),
        ('"1KB"', "", "mark.payload_budget needs a fixture with a namespace of the test's own"),
    ):
        suite.tests(WRONG.format(words=words, fixture=fixture))
        result = suite.run()
        assert result.ret == 4
        assert message in result.stderr.str() + result.stdout.str()
