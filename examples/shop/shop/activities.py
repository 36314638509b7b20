"""What the shop does in the world."""

from __future__ import annotations

from temporalio import activity


@activity.defn
async def charge(card: str, cents: int) -> str:
    raise NotImplementedError("the payment service is not reached from tests")


@activity.defn
def ship(order: str) -> str:
    return f"parcel of {order}"
