"""What a check of the steady state or a condition of a plan may look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import ledger
from ..errors import FaultImpossible
from ..ledger import Effect
from .timeline import Mark

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHandle

    from ..environment.run_context import RunContext
    from ..environment.virtual_clock import RunClock


class RunView:
    """A look at a rehearsal so far."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @property
    def seconds(self) -> float:
        """Seconds since the rehearsal's start."""
        return self._context.timeline.now()

    @property
    def folder(self) -> Path:
        """The run's own folder: its ledger is there, and what the runbook keeps beside it."""
        return self._context.folder

    @property
    def fixture(self) -> Any:
        """What the scenario's world gives."""
        return self._context.fixture

    @property
    def effects(self) -> Sequence[Effect]:
        """What the ledger holds."""
        return ledger.read(self._context.ledger)

    @property
    def marks(self) -> Sequence[Mark]:
        """The timeline so far."""
        return self._context.timeline.marks

    @property
    def clock(self) -> RunClock:
        """The runbook's virtual clock, which it has with `time_skipping=True`."""
        if self._context.clock is None:
            raise FaultImpossible("the runbook has no clock of its own", hint="Scenario(..., time_skipping=True)")
        return self._context.clock

    @property
    def client(self) -> Client:
        """A client of the server; the network's faults do not touch it."""
        return self._context.client

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The runbook's workflow."""
        return self._context.handle
