"""Pydantic models as arguments and results in clients, mocks, replay, recordings and reports."""

from __future__ import annotations

from ..conftest import Suite

CONFTEST = """
import pytest
from temporalio.contrib.pydantic import pydantic_data_converter


@pytest.fixture(scope="session")
def temporal_client_options():
    return {"data_converter": pydantic_data_converter}
"""

FLOWS = """
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel


class Order(BaseModel):
    id: str
    total: int
    due: timedelta = timedelta(days=1)


class Receipt(BaseModel):
    order: Order
    paid: bool


@activity.defn
async def charge(order: Order) -> Receipt:
    return Receipt(order=order, paid=order.total > 0)


@workflow.defn
class Buy:
    @workflow.run
    async def run(self, order: Order) -> Receipt:
        return await workflow.execute_activity(charge, order, start_to_close_timeout=timedelta(seconds=10))
"""

TESTS = """
from flows import Buy, Order, Receipt, charge

BOOK = Order(id="book", total=3)


def test_models(temporal):
    temporal.worker(workflows=[Buy], activities=[charge])
    assert temporal.execute(Buy.run, BOOK) == Receipt(order=BOOK, paid=True)
    [call] = temporal.calls(charge)
    assert (call.args, call.result) == ((BOOK,), Receipt(order=BOOK, paid=True))


@pytest.mark.parametrize("mock", [Receipt(order=BOOK, paid=False), lambda order: Receipt(order=order, paid=False)])
def test_mocks(temporal, mock):
    temporal.worker(workflows=[Buy], activities=[charge], mocks={charge: mock})
    assert temporal.execute(Buy.run, BOOK) == Receipt(order=BOOK, paid=False)
"""


def shop(suite: Suite, tests: str) -> Suite:
    """A suite whose workflows take and return models."""
    suite.ini("pythonpath = .")
    suite.file("conftest.py", CONFTEST)
    suite.file("flows.py", FLOWS)
    suite.tests(tests)
    return suite


def test_models_everywhere(suite: Suite) -> None:
    """Workflows, mocks, recorded calls, replays of tests and of stored histories use models."""
    suite = shop(suite, TESTS)
    suite.passes("--temporal-record", "histories", passed=3)
    suite.passes("--temporal-replay-from", "histories", passed=3)


def test_a_missing_converter_is_named(suite: Suite) -> None:
    """Replaying stored histories without their data converter says that their input cannot be decoded."""
    shop(suite, TESTS).passes("--temporal-record", "histories", "-k", "models", passed=1)
    suite.file("conftest.py", "")
    result = suite.run("--temporal-replay-from", "histories")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  the code had not reached flows.py:* in run: *",
            "  its __init__ failed, or its input cannot be decoded: does the data converter match *",
        ]
    )


def test_models_in_reports(suite: Suite) -> None:
    """A failed test shows models with their fields."""
    shop(
        suite,
        """
from flows import Buy, Order, charge


def test_wrong(temporal):
    temporal.worker(workflows=[Buy], activities=[charge])
    assert temporal.execute(Buy.run, Order(id="book", total=0)).paid
""",
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*workflow execution started (Buy) input {'id': 'book', 'total': 0, 'due': 'P1D'}",
            "*workflow execution completed result {'order': {'id': 'book', *'paid': False}",
        ]
    )
