"""`temporal_spans`: assertions on a workflow's history as spans."""

from __future__ import annotations

from ..conftest import Suite

SPANS = '''
from temporalio.common import RetryPolicy

import temporaltest

QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=1))
hers = temporaltest.factories.temporal()
her_spans = temporaltest.factories.spans("hers")


@activity.defn
async def charge(card: str) -> None:
    if card == "bad":
        raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)
    if activity.info().attempt < 3:
        raise ApplicationError("busy")


@workflow.defn
class Order:
    @workflow.run
    async def run(self, card: str, child: bool = True) -> None:
        await asyncio.sleep(86400 * 30)
        await workflow.execute_activity(
            charge, card, start_to_close_timeout=timedelta(seconds=9), retry_policy=QUICK
        )
        if child:
            child_id = workflow.info().workflow_id + "-child"
            await workflow.execute_child_workflow(Order.run, args=[card, False], id=child_id)


TREE = """\\
workflow Order
  run Order
    timer
    activity charge
    child Order
      workflow Order
        run Order
          timer
          activity charge"""


@pytest.mark.temporal(time_skipping=True)
def test_whole(temporal, temporal_spans):
    temporal.worker(workflows=[Order], activities=[charge])
    handle = temporal.start(Order.run, args=["good"])
    temporal.run(handle.result())
    tree = temporal_spans.of(handle)
    assert str(tree) == TREE and tree.errors == {}
    first = tree.named("activity charge")[0]
    assert first.attributes["temporal.attempts"] == 3
    assert tree.root.end - tree.root.start > timedelta(days=30)
    assert [span.name for span in tree.children(tree.root)] == ["run Order"]
    assert temporal_spans.of(handle.id) == tree


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge, "bad", start_to_close_timeout=timedelta(seconds=9))


def test_failed(hers, her_spans):
    hers.worker(workflows=[Failing], activities=[charge])
    handle = hers.start(Failing.run)
    with pytest.raises(WorkflowFailureError):
        hers.run(handle.result())
    tree = her_spans.of(handle)
    assert tree.one("activity charge").error == "CardDeclined: card declined"
    with pytest.raises(AssertionError, match="(?s)no spans are named 'nothing':.*CardDeclined"):
        tree.one("nothing")
    with pytest.raises(temporaltest.SetupError, match="there is no workflow nobody"):
        her_spans.of("nobody")
'''


def test_assertions_on_spans(suite: Suite) -> None:
    """Virtual time, attempts and children are spans; a failure has its reason; a wrong name shows the tree."""
    suite.tests(SPANS)
    suite.passes(passed=2)
