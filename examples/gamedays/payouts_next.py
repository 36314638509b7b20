"""The next build: it checks each seller before it pays."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

from devserver.rehearsal import ledger

SELLERS = [f"seller-{number}" for number in range(1, 21)]


@activity.defn
def check(seller: str) -> bool:
    """Whether a seller may be paid."""
    return bool(seller)


@activity.defn
def pay(seller: str) -> None:
    """Pay a seller."""
    ledger.effect("pay", key=seller)


@workflow.defn
class PaySellers:
    """Pay all sellers that may be paid."""

    @workflow.run
    async def run(self) -> int:
        """The number of sellers that were paid."""
        for seller in SELLERS:
            await workflow.execute_activity(check, seller, start_to_close_timeout=timedelta(seconds=10))
            await workflow.execute_activity(pay, seller, start_to_close_timeout=timedelta(seconds=10))
            await asyncio.sleep(2)
        return len(SELLERS)
