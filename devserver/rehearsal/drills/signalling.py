"""The drill that sends the runbook a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from temporalio.api.common.v1 import Header, Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

from ..environment.converters import converter
from ..environment.run_context import RunContext
from ..errors import ScenarioInvalid
from ..expect.signals import HEADER
from ..faults._numbers import seconds
from ..run.metrics import why_lost
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario
from ._operator import OPEN, Operator
from ._planned import handles, sendable

LOOK_SECONDS = 0.1
ENCODING = {"encoding": b"binary/plain"}


@dataclass(frozen=True)
class Signal:
    """The runbook gets a signal."""

    name: str
    args: Sequence[Any]
    within: float
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """The runbook knows the signal, and it can be sent."""
        handles(scenario, "signal", self.name)
        sendable(str(self), self.args, converter(scenario.data_converter))

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Send it until it is acknowledged; the rest waits until the runbook's code has it."""
        operator = Operator(context)
        identity = f"drill-{uuid4().hex[:8]}"
        request = SignalWorkflowExecutionRequest(
            namespace=operator.namespace,
            workflow_execution=WorkflowExecution(workflow_id=context.workflow_id),
            signal_name=self.name,
            input=Payloads(payloads=await context.client.data_converter.encode(self.args)),
            identity=identity,
            request_id=identity,  # the server takes it once, however often it is sent
            header=Header(fields={HEADER: Payload(metadata=ENCODING, data=identity.encode())}),
        )
        await operator.call(operator.service.signal_workflow_execution, request)
        context.timeline.note("drill", f"signal {self.name} acknowledged", signal=self.name, identity=identity)
        return self._rest(context, identity)

    async def _rest(self, context: RunContext, identity: str) -> None:
        operator = Operator(context)
        began = context.timeline.now()
        while True:
            last = context.over.is_set() or await operator.status() not in OPEN  # told before the look, not after it
            why = why_lost(await operator.histories(), identity)
            took = context.timeline.now() - began
            if not why or last or took > self.within:
                break
            await asyncio.sleep(LOOK_SECONDS)
        evidence = f"acknowledged, and taken to the runbook's code within {took:.2f} s"
        if why:
            evidence = f"acknowledged, and after {took:.2f} s {why}{await operator.still_open()}"
        context.findings.append(Judgement(str(self), "fail" if why else "pass", evidence))

    def __str__(self) -> str:
        return f"signal {self.name}({', '.join(map(repr, self.args))})"


def signal(name: str, *args: Any, within: float | timedelta = 10.0) -> Signal:
    """The runbook gets a signal with these arguments, and its code has it within so many seconds.

    It is sent again until the server acknowledges it; the server takes it once.

    Raises:
        ScenarioInvalid: It has no name, or the limit is no time. `check`: the runbook has no handler for it.
    """
    if not name or not isinstance(name, str):
        raise ScenarioInvalid(f"a signal has a name, not {name!r}")
    return Signal(name, args, seconds(within, "signal(within=...)"))
