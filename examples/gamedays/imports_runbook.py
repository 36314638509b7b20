"""Imports the records of customers one after the other. A record that must not be imported can be skipped."""

import asyncio
import contextlib
import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

CUSTOMERS = ["ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo", "june", "kai", "lea"]
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5))


def file_of(folder: Path) -> Path:
    """The file with the balances that the supplier has delivered."""
    return folder / "balances.json"


@activity.defn
def import_record(customer: str) -> float:
    """Import the record of a customer; returns the balance."""
    here = Path(os.environ.get(ledger.FILE, tempfile.gettempdir() + "/ledger.jsonl")).parent
    file = file_of(here)
    records = json.loads(file.read_text()) if file.exists() else {}
    balance = float(records.get(customer, "10.00"))
    ledger.effect("import_record", key=customer)
    return balance


@workflow.defn
class ImportCustomers:
    """Import all customers, except those that somebody skips."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """The customers that were imported."""
        done = []
        for customer in CUSTOMERS:
            await asyncio.sleep(2)
            if await self._import(customer):
                done.append(customer)
        return done

    async def _import(self, customer: str) -> bool:
        importing = workflow.start_activity(
            import_record,
            customer,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RETRY,
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
        )
        skipped = asyncio.create_task(workflow.wait_condition(lambda: customer in self._skipped))
        await workflow.wait([importing, skipped], return_when=asyncio.FIRST_COMPLETED)
        if importing.done():
            skipped.cancel()
            importing.result()
            return True
        importing.cancel()
        with contextlib.suppress(Exception):
            await importing
        return False

    @workflow.signal
    def skip(self, customer: str) -> None:
        """Leave a customer out."""
        self._skipped.append(customer)
