"""Drills that send the runbook messages: signals, queries and updates."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from temporalio.api.common.v1 import Header, Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.converter import DataConverter
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from ...client import OPEN_STATUSES, PAUSED
from ..environment.converters import converter
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..expect.signals import HEADER
from ..run.metrics import why_lost
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import NOTHING, Scenario
from .operator import DOWN, POLL_SECONDS, Operator
from .validation import handles, sendable

FIRST_SECONDS = 1.0  # an activity that waits at the moment continues then, even without an answer


@dataclass(frozen=True)
class RequestDrill:
    """The runbook gets a query or an update, and answers."""

    kind: str
    name: str
    args: Sequence[Any]
    wanted: Any
    within: float
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check that the runbook has a handler, and that the arguments can be sent."""
        handles(scenario, self.kind, self.name)
        sendable(str(self), self.args, converter(scenario.data_converter))

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Send the message; the rest waits for the answer."""
        status = await Operator(context).status()
        if status == PAUSED:
            raise FaultImpossible(
                f"the runbook is paused: the server refuses every {self.kind} of a paused workflow",
                hint="plan it before the pause or after drills.resume(); a signal is delivered after the pause",
            )
        if self.kind == "update" and status not in OPEN_STATUSES:
            raise FaultImpossible("the runbook ended before the drill could begin")
        began = context.timeline.now()
        asking = asyncio.create_task(self._answer(context, began + self.within))
        asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # else asyncio warns
        await asyncio.wait([asking], timeout=min(FIRST_SECONDS, self.within))
        return self._rest(context, asking, began)

    async def _rest(self, context: RunContext, asking: asyncio.Task[Any], began: float) -> None:
        left = max(0.0, began + self.within - context.timeline.now())
        try:
            await asyncio.wait([asking], timeout=left)
            answer = asking.result()
        except (asyncio.InvalidStateError, WorkflowUpdateRPCTimeoutOrCancelledError):
            judgement = Judgement(str(self), "fail", f"there was no answer within {self.within:g} s")
        except (WorkflowUpdateFailedError, WorkflowQueryFailedError) as error:
            judgement = Judgement(str(self), "fail", f"it was refused, or failed: {error.__cause__ or error}")
        except (TemporalError, ValueError) as error:  # the SDK's ValueError is a workflow that was paused meanwhile
            judgement = Judgement(str(self), "fail", f"the server refused it: {error}")
        else:
            judgement = self._judged(answer, context.timeline.now() - began)
        finally:
            asking.cancel()
        context.judgements.append(judgement)

    async def _answer(self, context: RunContext, until: float) -> Any:
        """Send the message until the server answers, or `until` has passed."""
        number = uuid4().hex  # repeated calls are the same update
        while True:
            try:
                if self.kind == "query":
                    return await context.handle.query(self.name, args=self.args)
                return await context.handle.execute_update(self.name, args=self.args, id=number)
            except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
                if (isinstance(error, RPCError) and error.status not in DOWN) or context.timeline.now() >= until:
                    raise  # at the limit, the SDK reports a cancellation
            await asyncio.sleep(POLL_SECONDS)

    def _judged(self, answer: Any, took: float) -> Judgement:
        answer = _plain(answer)
        if self.wanted is NOTHING or answer == _plain(self.wanted):
            return Judgement(str(self), "pass", f"it answered {answer!r} within {took:.2f} s")
        return Judgement(str(self), "fail", f"it answered {answer!r}, not {self.wanted!r}")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}({', '.join(map(repr, self.args))})"


def update(name: str, *args: Any, expect_result: Any = NOTHING, within: float | timedelta = 10.0) -> RequestDrill:
    """The runbook gets an update with these arguments, accepts it, and completes it in time (with this result).

    Raises:
        ScenarioInvalid: The name or the limit is invalid; in `check`: the runbook has no handler for it.
    """
    return _ask("update", name, args, expect_result, within)


def query(name: str, *args: Any, expect_result: Any = NOTHING, within: float | timedelta = 10.0) -> RequestDrill:
    """The runbook gets a query with these arguments and answers in time (with this result).

    Raises:
        ScenarioInvalid: The name or the limit is invalid; in `check`: the runbook has no handler for it.
    """
    return _ask("query", name, args, expect_result, within)


def _ask(kind: str, name: str, args: Sequence[Any], wanted: Any, within: float | timedelta) -> RequestDrill:
    if not name or not isinstance(name, str):
        raise ScenarioInvalid(f"{kind} takes a name, not {name!r}")
    return RequestDrill(kind, name, args, wanted, seconds(within, f"{kind}(within=...)"))


def _plain(value: Any) -> Any:
    """A value as its JSON form comes back: a tuple as a list, a dataclass as a dict."""
    with contextlib.suppress(Exception):  # not JSON: compare the value itself
        return json.loads(DataConverter.default.payload_converter.to_payload(value).data)
    return value


LOOK_SECONDS = 0.1


ENCODING = {"encoding": b"binary/plain"}


@dataclass(frozen=True)
class SignalDrill:
    """The runbook gets a signal."""

    name: str
    args: Sequence[Any]
    within: float
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check that the runbook has a handler, and that the arguments can be sent."""
        handles(scenario, "signal", self.name)
        sendable(str(self), self.args, converter(scenario.data_converter))

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Send the signal until the server acknowledges it; the rest waits until the runbook's code has it."""
        operator = Operator(context)
        identity = f"drill-{uuid4().hex[:8]}"
        request = SignalWorkflowExecutionRequest(
            namespace=operator.namespace,
            workflow_execution=WorkflowExecution(workflow_id=context.workflow_id),
            signal_name=self.name,
            input=Payloads(payloads=await context.client.data_converter.encode(self.args)),
            identity=identity,
            request_id=identity,  # the server accepts repeated calls once
            header=Header(fields={HEADER: Payload(metadata=ENCODING, data=identity.encode())}),
        )
        await operator.call(operator.service.signal_workflow_execution, request)
        context.timeline.note("drill", f"signal {self.name} acknowledged", signal=self.name, identity=identity)
        return self._rest(context, identity)

    async def _rest(self, context: RunContext, identity: str) -> None:
        operator = Operator(context)
        began = context.timeline.now()
        while True:
            last = context.over.is_set() or await operator.status() not in OPEN_STATUSES  # read first
            why = why_lost(await operator.histories(), identity)
            took = context.timeline.now() - began
            if not why or last or took > self.within:
                break
            await asyncio.sleep(LOOK_SECONDS)
        evidence = f"acknowledged, and delivered to the runbook's code within {took:.2f} s"
        if why:
            evidence = f"acknowledged, but after {took:.2f} s {why}{await operator.still_open()}"
        context.judgements.append(Judgement(str(self), "fail" if why else "pass", evidence))

    def __str__(self) -> str:
        return f"signal {self.name}({', '.join(map(repr, self.args))})"


def signal(name: str, *args: Any, within: float | timedelta = 10.0) -> SignalDrill:
    """The runbook gets a signal with these arguments, and its code receives it in time.

    The signal is sent until the server acknowledges it; the server accepts it once.

    Raises:
        ScenarioInvalid: The name or the limit is invalid; in `check`: the runbook has no handler for it.
    """
    if not name or not isinstance(name, str):
        raise ScenarioInvalid(f"signal takes a name, not {name!r}")
    return SignalDrill(name, args, seconds(within, "signal(within=...)"))
