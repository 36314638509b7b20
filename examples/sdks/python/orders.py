"""The order of this demo in Python; the other folders have it in the other SDKs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import nexusrpc
import nexusrpc.handler
from temporalio import activity, nexus, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

LIMIT = timedelta(seconds=30)
SHOP = SearchAttributeKey.for_keyword("Shop")


@dataclass
class Item:
    """What is ordered."""

    item: str
    count: int


@activity.defn(name="check")
async def check(item: str) -> str:
    """Look whether there is enough."""
    await asyncio.sleep(0.06)
    return f"{item} in stock"


@activity.defn(name="charge")
async def charge(item: Item) -> str:
    """Charge the customer; the payment service is busy at first."""
    if activity.info().attempt < 2:
        raise ApplicationError("payment service is busy", type="Busy")
    return f"paid {item.count}"


@activity.defn(name="decline")
async def decline(item: str) -> str:
    """Fail for good."""
    raise ApplicationError("card declined", {"code": 7}, type="CardDeclined", non_retryable=True)


@activity.defn(name="ship")
async def ship(city: str) -> str:
    """Hand the parcel over."""
    return f"on its way to {city}"


@activity.defn(name="pack")
async def pack(item: str) -> str:
    """Pack until it is cancelled, and say how far it is."""
    while True:
        activity.heartbeat({"packed": 3})
        await asyncio.sleep(0.1)


@workflow.defn
class Delivery:
    """Brings a parcel to a city."""

    @workflow.run
    async def run(self, city: str) -> str:
        """Ship it."""
        return await workflow.execute_activity(ship, city, start_to_close_timeout=LIMIT)


@nexusrpc.service
class Shop:
    """What workflows of other SDKs may ask for."""

    deliver: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Shop)
class ShopHandler:
    """Runs a workflow for each delivery."""

    @nexus.workflow_run_operation
    async def deliver(self, ctx: nexus.WorkflowRunOperationContext, city: str) -> nexus.WorkflowHandle[str]:
        """Start it."""
        return await ctx.start_workflow(Delivery.run, city, id=f"python-delivery-{ctx.request_id}")


@workflow.defn
class Abroad:
    """Asks a shop of another SDK to deliver."""

    @workflow.run
    async def run(self, endpoint: str) -> str:
        """Call it."""
        shop = workflow.create_nexus_client(service=Shop, endpoint=endpoint)
        return await shop.execute_operation(Shop.deliver, "Lisbon")


@workflow.defn
class Order:
    """Checks, charges, waits for an approval, delivers."""

    def __init__(self) -> None:
        self._state = "new"
        self._approved_by = ""

    @workflow.run
    async def run(self, item: Item) -> str:
        """Process an order."""
        workflow.patched("c")
        await workflow.execute_local_activity(check, item.item, start_to_close_timeout=LIMIT)
        await workflow.execute_activity(
            charge,
            item,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
            summary="charge the card",
        )
        try:
            await workflow.execute_activity(decline, item.item, start_to_close_timeout=LIMIT)
        except ActivityError:
            workflow.logger.info("declined")
        await workflow.sleep(timedelta(milliseconds=100), summary="wait for the bank")
        workflow.upsert_search_attributes([SHOP.value_set("lisbon")])
        workflow.upsert_memo({"note": "hello"})
        self._state = "waits for approval"
        await workflow.wait_condition(lambda: bool(self._approved_by), timeout=timedelta(hours=1))
        delivery = f"{workflow.info().workflow_id}-delivery"
        await workflow.execute_child_workflow(Delivery.run, "Lisbon", id=delivery)
        return f"approved by {self._approved_by}"

    @workflow.signal(description="Approve the order.")
    def approve(self, by: str) -> None:
        """Approve the order."""
        self._approved_by = by

    @workflow.query(description="Progress of the order.")
    def state(self) -> str:
        """Progress of the order."""
        return self._state

    @workflow.update(description="Change the number of pieces.")
    def change(self, count: int) -> str:
        """Change the number of pieces."""
        return f"{count} pieces"


@workflow.defn
class Packing:
    """Has an activity that ends only when it is cancelled."""

    @workflow.run
    async def run(self, item: str) -> str:
        """Pack."""
        return await workflow.execute_activity(
            pack, item, start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=LIMIT
        )


@workflow.defn
class Broken:
    """Has a mistake in its code: its workflow task fails until it is fixed."""

    @workflow.run
    async def run(self, item: str) -> str:
        """Look up what is not there."""
        prices: dict[str, str] = {}
        return prices[item]
