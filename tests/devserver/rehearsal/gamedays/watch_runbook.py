"""A watchman who looks at a lamp again and again."""

import os
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

OUT = "lamp-is-out"


@activity.defn
def look(number: int) -> None:
    """See the lamp."""
    if (Path(os.environ[ledger.FILE]).parent / OUT).exists():
        raise ValueError("it is dark")


@workflow.defn
class Watch:
    """Look every half second, for ever."""

    @workflow.run
    async def run(self) -> None:
        """Watch."""
        for number in range(1000):
            await workflow.execute_activity(
                look,
                number,
                start_to_close_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=300), backoff_coefficient=1.0),
            )
            await workflow.sleep(0.5)

    @workflow.signal
    def call(self, word: str = "") -> None:
        """Hear a word."""
