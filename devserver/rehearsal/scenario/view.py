"""What checks of the steady state and conditions of a plan can see of a run."""

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

    from ..environment.run_clock import RunClock
    from ..environment.run_context import RunContext
    from ..patient.patient import Patient


class RunView:
    """A read-only view of a run so far."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @property
    def seconds(self) -> float:
        """Seconds since the run's start."""
        return self._context.timeline.now()

    @property
    def folder(self) -> Path:
        """The run's own folder, with its ledger and the files that the runbook puts there."""
        return self._context.folder

    @property
    def fixture(self) -> Any:
        """The value of the scenario's fixture."""
        return self._context.fixture

    @property
    def patient(self) -> Patient | None:
        """The scenario's cluster, with its address; None without one."""
        return self._context.patient

    @property
    def effects(self) -> Sequence[Effect]:
        """The effects in the ledger."""
        return ledger.read(self._context.ledger)

    @property
    def marks(self) -> Sequence[Mark]:
        """The timeline so far."""
        return self._context.timeline.marks

    @property
    def clock(self) -> RunClock:
        """The runbook's virtual clock (`time_skipping=True`)."""
        if self._context.clock is None:
            raise FaultImpossible("the runbook has no virtual clock", hint="add Scenario(..., time_skipping=True)")
        return self._context.clock

    @property
    def client(self) -> Client:
        """A client of the server; faults of the network do not affect it."""
        return self._context.client

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The handle of the runbook's workflow."""
        return self._context.handle
