"""Activities of the shop: a real shop would call a payment service and a parcel service here."""

from __future__ import annotations

from temporalio import activity


@activity.defn
async def charge(card: str, cents: int) -> str:
    raise NotImplementedError("no payment service here: tests put a mock in its place")


@activity.defn
def ship(item: str) -> str:
    return f"parcel of {item}"
