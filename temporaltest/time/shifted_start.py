"""Starting a workflow with a virtual clock, at a time that is ahead of this machine's."""

from __future__ import annotations

import contextlib
import uuid
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from devserver.client import VirtualClock
from devserver.errors import CannotAsk, ClockMoveReplaced


class ShiftedStart:
    """The clock of a workflow that is about to start.

    The server starts every clock at its own time. So the start is delayed until `ahead`, and the clock moved there,
    which takes no time. The timeouts of workflow and run count from the call, so they are longer by the delay.

    Args:
        skips: Whether the clock skips time from there on; by default it runs in real time.
    """

    def __init__(self, client: Client, ahead: timedelta = timedelta(0), *, skips: bool = False) -> None:
        self._client = client
        self._ahead = ahead
        self._skips = skips
        self._move_id = ""

    def apply(self, input: Any) -> None:  # noqa: A002 - the SDK's name
        """Change what the client is about to send."""
        from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig

        is_shifted = self._ahead > timedelta(0) and not input.cron_schedule  # the server delays no start of a cron
        if is_shifted:
            input.request_eager_start = False
            input.start_delay = (input.start_delay or timedelta(0)) + self._ahead
            for timeout in ("execution_timeout", "run_timeout"):
                if getattr(input, timeout):
                    setattr(input, timeout, getattr(input, timeout) + self._ahead)
        input.time_skipping_config = TimeSkippingConfig(enabled=self._skips)
        if is_shifted and not self._skips:
            self._move_id = str(uuid.uuid4())
            move = FastForwardConfig(id=self._move_id)
            move.duration.FromTimedelta(self._ahead)
            input.time_skipping_config.enabled = True
            input.time_skipping_config.fast_forward_config.CopyFrom(move)

    async def arrived(self, workflow_id: str) -> None:
        """Wait until the clock is at the time of the start."""
        if self._move_id:
            with contextlib.suppress(CannotAsk, RPCError, ClockMoveReplaced):  # the workflow was running already
                await VirtualClock(self._client, workflow_id).wait_moved(self._move_id)
