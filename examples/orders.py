"""Orders as a workflow: a payment service that is busy at first, a child workflow, an approval for large orders.

devserver run examples/orders.py
devserver workflow start examples/orders.py:Order --name Ada --amount 3 --wait
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

LIMIT = timedelta(seconds=10)
NEEDS_APPROVAL = 100


@dataclass
class Purchase:
    """An order of a customer."""

    name: str
    amount: int = 1
    city: str = "Lisbon"


@activity.defn
async def charge(purchase: Purchase) -> str:
    """Charge the customer. The payment service is busy at first, and declines Mallory."""
    if purchase.name == "Mallory":
        raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)
    if activity.info().attempt < 3:
        raise ApplicationError("payment service is busy", type="Busy")
    return f"payment-{purchase.name.lower()}"


@activity.defn
async def pack(number: int) -> None:
    """Put one piece into the parcel."""
    activity.logger.info("packed piece %s", number)


@activity.defn
async def ship(city: str) -> str:
    """Hand the parcel over."""
    return f"on its way to {city}"


@workflow.defn
class Delivery:
    """Brings one parcel to a city."""

    @workflow.run
    async def run(self, city: str) -> str:
        """Wait for the van, then ship."""
        await workflow.sleep(timedelta(seconds=1))
        return await workflow.execute_activity(ship, city, start_to_close_timeout=LIMIT)


@workflow.defn
class Order:
    """Charges, packs piece by piece and delivers. More than 100 pieces wait for an approval."""

    @workflow.init
    def __init__(self, purchase: Purchase) -> None:
        """Start with nothing done. An update may come before `run` begins."""
        self._state = "new"
        self._approved_by = ""
        self._city = purchase.city

    @workflow.run
    async def run(self, purchase: Purchase) -> str:
        """Process an order; returns where the parcel is."""
        if purchase.amount > NEEDS_APPROVAL:
            self._state = "waits for approval"
            await workflow.wait_condition(lambda: bool(self._approved_by))
        self._state = "charging"
        quick = RetryPolicy(initial_interval=timedelta(milliseconds=100))
        await workflow.execute_activity(charge, purchase, start_to_close_timeout=LIMIT, retry_policy=quick)
        self._state = "packing"
        for number in range(purchase.amount):
            await workflow.execute_activity(pack, number, start_to_close_timeout=LIMIT)
        self._state = "delivering"
        delivery = f"{workflow.info().workflow_id}-delivery"
        where = await workflow.execute_child_workflow(Delivery.run, self._city, id=delivery)
        self._state = "done"
        return where

    @workflow.signal
    def approve(self, by: str) -> None:
        """Approve a large order."""
        self._approved_by = by

    @workflow.query
    def state(self) -> str:
        """Progress of the order."""
        return self._state

    @workflow.update
    def change_city(self, city: str) -> str:
        """Send the parcel elsewhere; returns the city it would have gone to."""
        before, self._city = self._city, city
        return before

    @change_city.validator
    def check_city(self, city: str) -> None:
        """Reject the change once the parcel has left."""
        if self._state in ("delivering", "done"):
            raise ApplicationError("the parcel has left", type="TooLate")
