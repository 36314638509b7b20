"""Activities in tests: mocks, scripts, and recorded calls."""

from __future__ import annotations

import textwrap

from ..conftest import Suite

SHOP = """
from dataclasses import dataclass
from temporalio.common import RetryPolicy


@dataclass
class Receipt:
    order: str
    amount: int


@activity.defn
async def charge(order: str, amount: int) -> str:
    return f"charged {amount} for {order}"


@activity.defn
def ship(order: str) -> str:
    return f"shipped {order}"


class Bank:
    @activity.defn
    async def refund(self, order: str) -> str:
        return f"refunded {order}"


@activity.defn(name="print-receipt")
async def receipt(order: str) -> Receipt:
    return Receipt(order, 1)


LIMITS = {
    "start_to_close_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=4),
}


@workflow.defn
class Order:
    @workflow.run
    async def run(self, order: str, kind: str = "charge") -> str:
        if kind == "charge":
            return await workflow.execute_activity(charge, args=[order, 5], **LIMITS)
        if kind == "ship":
            return await workflow.execute_activity(ship, order, **LIMITS)
        if kind == "refund":
            return await workflow.execute_activity_method(Bank.refund, order, **LIMITS)
        if kind == "local":
            return await workflow.execute_local_activity(charge, args=[order, 5], **LIMITS)
        if kind == "unknown":
            return await workflow.execute_activity("mail", order, **LIMITS)
        if kind == "wrong":
            return await workflow.execute_activity("charge", order, **LIMITS)
        return str(await workflow.execute_activity(receipt, order, **LIMITS))


ALL = [charge, ship, receipt, Bank().refund]
"""


def shop(suite: Suite, text: str) -> Suite:
    """A suite with a shop whose orders are workflows."""
    suite.tests(SHOP + "\n\n" + textwrap.dedent(text))
    return suite


def test_a_mock_runs_in_place_of_the_activity(suite: Suite) -> None:
    """A mock is set by reference, method or name; it is a function, sync or async, a value, or a mock object."""
    shop(
        suite,
        """
        from unittest.mock import AsyncMock, Mock


        async def later(order: str, amount: int) -> str:
            return f"later {order} {amount}"


        class Fake:
            async def __call__(self, order):
                return "object " + order


        @pytest.mark.parametrize(
            ("mocks", "kind", "result"),
            [
                ({charge: lambda order, amount: f"fake {order} {amount}"}, "charge", "fake a 5"),
                ({charge: later}, "charge", "later a 5"),
                ({"charge": later}, "local", "later a 5"),
                ({charge: "free"}, "charge", "free"),
                ({charge: Mock(return_value="mock")}, "charge", "mock"),
                ({charge: AsyncMock(return_value="async mock")}, "charge", "async mock"),
                ({ship: lambda order: "fake " + order}, "ship", "fake a"),
                ({ship: Fake()}, "ship", "object a"),
                ({ship: AsyncMock(return_value="async mock")}, "ship", "async mock"),
                ({Bank.refund: lambda order: "fake " + order}, "refund", "fake a"),
                ({Bank().refund: "nothing"}, "refund", "nothing"),
                ({"print-receipt": Receipt("b", 2)}, "receipt", "Receipt(order='b', amount=2)"),
                ({receipt: {"order": "c", "amount": 3}}, "receipt", "Receipt(order='c', amount=3)"),
                ({}, "ship", "shipped a"),
            ],
        )
        def test_it(temporal, mocks, kind, result):
            temporal.worker(workflows=[Order], activities=ALL, mocks=mocks)
            assert temporal.execute(Order.run, "a", kind) == result
        """,
    ).passes(passed=14)


def test_a_mock_raises(suite: Suite) -> None:
    """A mock that is an exception, or raises one, fails the activity with it."""
    shop(
        suite,
        """
        def broken(order, amount):
            raise KeyError("broken")


        @pytest.mark.parametrize(
            ("mock", "kind"),
            [(ValueError("no money"), "ValueError"), (ZeroDivisionError, "ZeroDivisionError"), (broken, "KeyError")],
        )
        def test_it(temporal, mock, kind):
            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: mock})
            with pytest.raises(WorkflowFailureError) as failed:
                temporal.execute(Order.run, "a")
            assert failed.value.cause.cause.type == kind
            assert [call.attempt for call in temporal.calls(charge)] == [1, 2, 3, 4]
        """,
    ).passes(passed=3)


def test_an_incompatible_mock_is_refused(suite: Suite) -> None:
    """A mock is checked against the activity's name, arguments and result type before anything runs."""
    shop(
        suite,
        """
        from temporaltest import SetupError, fails


        def count(order, amount, more): ...
        def swapped(amount, order): ...
        def typed(order: int, amount: int) -> str: ...
        def result(order, amount) -> int: ...
        def plain(order): ...


        @pytest.mark.parametrize(
            ("mocks", "message"),
            [
                ({plain: "x"}, "plain is not an activity: it has no @activity.defn"),
                ({"chrage": "x"}, "no activity 'chrage' is registered on this worker"),
                ({"chrage": "x"}, "registered: charge, print-receipt, refund, ship"),
                ({charge: "x", "charge": "y"}, "'charge' is mocked twice"),
                ({charge: count}, "takes 3, the activity takes 2"),
                ({charge: plain}, "takes 1, the activity takes 2"),
                ({charge: swapped}, "takes 'amount' as argument 1, the activity as argument 2"),
                ({charge: typed}, "takes int for 'order', the activity takes str"),
                ({charge: result}, "returns int, the activity returns str"),
                ({charge: 5}, "returns 5, the activity returns str"),
                ({charge: None}, "returns None, the activity returns str"),
                ({charge: fails(times=1, then=plain)}, "takes 1, the activity takes 2"),
                ({receipt: "x"}, "returns 'x', the activity returns Receipt"),
            ],
        )
        def test_it(temporal, mocks, message):
            with pytest.raises(SetupError) as refused:
                temporal.worker(workflows=[Order], activities=ALL, mocks=mocks)
            assert message in str(refused.value)


        def test_not_registered(temporal):
            with pytest.raises(SetupError, match="pass the real activity to activities="):
                temporal.worker(workflows=[Order], mocks={charge: "x"})
        """,
    ).passes(passed=14)


def test_errors_found_by_a_call(suite: Suite) -> None:
    """A call with a wrong number of arguments or a result of a wrong type fails, even if the mock accepts it."""
    shop(
        suite,
        """
        @pytest.mark.parametrize(
            ("mock", "kind", "message"),
            [
                (lambda *args: "x", "wrong", "'charge' is called with 1 arguments and takes 2"),
                (lambda order, amount: 5, "charge", "the mock of 'charge' returns 5, the activity returns str"),
            ],
        )
        def test_it(temporal, mock, kind, message):
            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: mock})
            with pytest.raises(WorkflowFailureError) as failed:
                temporal.execute(Order.run, "a", kind)
            assert message in str(failed.value.cause.cause)
            assert len(temporal.calls(charge)) == 1
        """,
    ).passes(passed=2)


def test_calls_are_recorded(suite: Suite) -> None:
    """The test can read arguments and outcome of each call, whether the activity is mocked or not."""
    shop(
        suite,
        """
        from temporaltest import SetupError


        def test_it(temporal):
            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: "paid"})
            assert temporal.calls() == []
            temporal.execute(Order.run, "a")
            temporal.execute(Order.run, "b", "ship")
            [paid] = temporal.calls(charge)
            assert (paid.activity, paid.args, paid.attempt, paid.mocked) == ("charge", ("a", 5), 1, True)
            assert (paid.workflow_id, paid.workflow_type) == ("order-1", "Order")
            assert (paid.ended, paid.result, paid.failure) == (True, "paid", None)
            [shipped] = temporal.calls("ship")
            assert (shipped.args, shipped.result, shipped.mocked) == (("b",), "shipped b", False)
            assert temporal.calls(Bank.refund) == []
            assert temporal.calls() == [paid, shipped]
            with pytest.raises(SetupError, match="no worker of this test runs 'shipp'"):
                temporal.calls("shipp")
        """,
    ).passes(passed=1)


def test_scripts(suite: Suite) -> None:
    """A script is a sequence of failures, delays and heartbeats, and ends with a value, a callable or the real
    activity."""
    shop(
        suite,
        """
        from temporaltest import REAL, delays, fails, heartbeats


        @pytest.mark.parametrize(
            ("script", "result", "attempts"),
            [
                (fails(times=2), "charged 5 for a", 3),
                (fails(times=2, then="paid"), "paid", 3),
                (fails("no money", times=1, then=lambda order, amount: order), "a", 2),
                (fails(times=1, then=fails(ValueError("again"), times=1, then="third")), "third", 3),
                (delays(0.01), "charged 5 for a", 1),
                (delays(timedelta(milliseconds=10), then=fails(times=1, then=REAL)), "charged 5 for a", 2),
                (heartbeats(1, 2, then="paid"), "paid", 1),
                (fails(times=1, retry_after=timedelta(milliseconds=2), then="paid"), "paid", 2),
            ],
        )
        @pytest.mark.parametrize("kind", ["charge", "local"])
        def test_it(temporal, script, result, attempts, kind):
            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: script})
            assert temporal.execute(Order.run, "a", kind) == result
            assert [call.attempt for call in temporal.calls(charge)] == list(range(1, attempts + 1))
        """,
    ).passes(passed=16)


def test_a_script_of_a_sync_activity(suite: Suite) -> None:
    """A sync activity is scripted like an async one; its mock may send heartbeats from its thread."""
    shop(
        suite,
        """
        from temporaltest import delays, fails, heartbeats


        def beats(order):
            activity.heartbeat("half")
            return f"{order} by attempt {activity.info().attempt}"


        def test_it(temporal):
            script = heartbeats("one", "two", then=delays(0.01, then=fails("no ship", times=2, then=beats)))
            temporal.worker(workflows=[Order], activities=ALL, mocks={ship: script})
            assert temporal.execute(Order.run, "a", "ship") == "a by attempt 3"
            first, second, third = temporal.calls(ship)
            assert "no ship" in str(first.failure)
            assert first.heartbeats == second.heartbeats == ("one", "two")
            assert third.heartbeats == ("one", "two", "half")


        def test_the_real_one(temporal):
            temporal.worker(workflows=[Order], activities=ALL, mocks={ship: fails(times=1)})
            assert temporal.execute(Order.run, "a", "ship") == "shipped a"


        def test_a_sync_fake_of_an_async_activity(temporal):
            def fake(order, amount):
                activity.heartbeat("x")
                return activity.info().activity_type

            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: fake})
            assert temporal.execute(Order.run, "a") == "charge"
            assert temporal.calls(charge)[0].heartbeats == ("x",)
        """,
    ).passes(passed=3)


def test_failures_are_counted_per_test_or_per_activity(suite: Suite) -> None:
    """`times` counts calls in the test, or with `each` attempts of each activity; tests count separately."""
    shop(
        suite,
        """
        from temporaltest import fails

        ONCE = fails(times=1)
        EACH = fails(times=1, each=True)


        @pytest.mark.parametrize(("script", "attempts"), [(ONCE, 3), (ONCE, 3), (EACH, 4), (EACH, 4)])
        def test_it(temporal, script, attempts):
            temporal.worker(workflows=[Order], activities=ALL, mocks={charge: script})
            for order in "ab":
                temporal.execute(Order.run, order)
            assert len(temporal.calls(charge)) == attempts
        """,
    ).passes(passed=4)


def test_a_slow_mock_is_canceled(suite: Suite) -> None:
    """A delay ends with its activity: at a timeout, and at the end of the test."""
    shop(
        suite,
        """
        from temporalio.common import RetryPolicy

        from temporaltest import delays


        @workflow.defn
        class Impatient:
            @workflow.run
            async def run(self, which: str) -> str:
                handle = workflow.start_activity(
                    which,
                    args=["a"] if which == "ship" else ["a", 5],
                    start_to_close_timeout=timedelta(hours=1),
                    heartbeat_timeout=timedelta(seconds=1),
                    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
                await workflow.sleep(0.01)
                return "cancelled"


        @pytest.mark.parametrize("which", ["ship", "charge"])
        def test_it(temporal, which):
            hour = timedelta(hours=1)
            temporal.worker(workflows=[Impatient], activities=ALL, mocks={which: delays(hour)})
            assert temporal.execute(Impatient.run, which) == "cancelled"


        async def forever(order, *_):
            await asyncio.sleep(3600)


        @pytest.mark.parametrize("which", ["ship", "charge"])
        def test_a_fake(temporal, which):
            temporal.worker(workflows=[Impatient], activities=ALL, mocks={which: forever})
            assert temporal.execute(Impatient.run, which) == "cancelled"
        """,
    ).passes(passed=4)


def test_dynamic_activities(suite: Suite) -> None:
    """A dynamic activity accepts any name, so any name can be mocked, and so can the activity itself."""
    shop(
        suite,
        """
        from collections.abc import Sequence

        from temporalio.common import RawValue


        @activity.defn(dynamic=True)
        async def anything(args: Sequence[RawValue]) -> str:
            return "dynamic"


        @pytest.mark.parametrize(
            ("mocks", "result"), [({}, "dynamic"), ({"mail": "mailed"}, "mailed"), ({anything: "mocked"}, "mocked")]
        )
        def test_it(temporal, mocks, result):
            temporal.worker(workflows=[Order], activities=[anything, charge], mocks=mocks)
            assert temporal.execute(Order.run, "a", "unknown") == result
            assert temporal.execute(Order.run, "a") == "charged 5 for a"
        """,
    ).passes(passed=3)
