"""Tests of the shop: each test has its own namespace on one real server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from shop.activities import charge, ship
from shop.workflows import Order, Report, Shipment
from temporalio.client import ScheduleOverlapPolicy

from temporaltest import Outage, Schedules, Temporal, Time, fails

SHOP = {"workflows": [Order, Shipment], "activities": [charge, ship]}


@pytest.mark.temporal(time_skipping=True)
def test_an_order_asks_for_a_review_a_week_later(temporal: Temporal, temporal_time: Time) -> None:
    """The week passes at once; a mock replaces the payment and records its calls."""
    temporal.worker(**SHOP, mocks={charge: "receipt"})
    order = temporal.start(Order.run, "tea", 490)
    temporal_time.fast_forward(order, timedelta(days=8))
    assert temporal.run(order.query(Order.where)) == "asked for a review"
    temporal.run(order.signal(Order.review, 5))
    assert temporal.run(order.result()) == "parcel of tea, 5 stars"
    assert [call.args for call in temporal.calls(charge)] == [("4711", 490)]


@pytest.mark.temporal(time_skipping=True)
def test_a_payment_that_fails_twice_is_made_in_the_end(temporal: Temporal) -> None:
    """The retries' back-off is skipped too."""
    temporal.worker(**SHOP, mocks={charge: fails(times=2, then="receipt")})
    order = temporal.start(Order.run, "tea", 490)
    temporal.run(order.signal(Order.review, 3))
    assert temporal.run(order.result()).endswith("3 stars")
    assert len(temporal.calls(charge)) == 3


@pytest.mark.temporal(time_skipping=True)
async def test_an_order_in_an_async_test(temporal: Temporal) -> None:
    """The SDK's client works in the test's own loop."""
    temporal.worker(**SHOP, mocks={charge: "receipt"})
    order = await temporal.client.start_workflow(
        Order.run, args=["tea", 490], id="order", task_queue=temporal.task_queue
    )
    await order.signal(Order.review, 4)
    assert await order.result() == "parcel of tea, 4 stars"


@pytest.mark.temporal(time_skipping=True)
def test_an_order_survives_the_servers_crash(temporal: Temporal, temporal_outage: Outage) -> None:
    """Acknowledged work survives the crash, and the order continues."""
    temporal.worker(**SHOP, mocks={charge: "receipt"})
    order = temporal.start(Order.run, "tea", 490, task_timeout=timedelta(seconds=1))
    temporal.run(order.signal(Order.review, 1))
    temporal_outage.kill()
    temporal_outage.restart()
    assert temporal.run(order.result()) == "parcel of tea, 1 stars"


@pytest.mark.temporal(replay=False)  # workflow ids of a schedule contain the time, so each run would add recordings
def test_a_nightly_report_is_not_made_twice_at_once(temporal: Temporal, temporal_schedules: Schedules) -> None:
    """The server computes when the schedule is due; real runs show its overlap policy."""
    temporal.worker(workflows=[Report])
    assert {each.hour for each in temporal_schedules.next_times("0 3 * * *", count=5)} == {3}
    tried = temporal_schedules.overlap(
        ScheduleOverlapPolicy.SKIP, Report.run, finish=lambda run: run.signal(Report.read)
    )
    assert tried.together == 1, tried
    assert tried.skipped, tried
