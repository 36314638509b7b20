"""The expectation that no signal is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from ..run.metrics import RunMetrics
from ..scenario.result import Judgement, RehearsalRun
from .replays import replay

HEADER = "devserver-rehearsal"  # each signal of a drill has its identity there


@dataclass(frozen=True)
class NoSignalLost:
    """Every signal of a drill came to its handler, and the handler ended."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the histories, and by replaying them."""
        metrics = RunMetrics.of(run)
        if not metrics.signals:
            return Judgement(str(self), "unknown", "no drill sent a signal that was acknowledged")
        lost = [f"{each.name} (acknowledged at {each.at:.3f} s): {each.why}" for each in metrics.lost_signals]
        if lost:
            return Judgement(str(self), "fail", "; ".join(lost), lost)
        handled: dict[str, bool] = {}
        failures = replay(run, [_Handled(handled)])
        if failures:
            return Judgement(str(self), "unknown", "whether they were handled cannot be told: replay fails", failures)
        lost = [text for mark in run.marks if mark.lane == "drill" for text in _unhandled(mark.detail, handled)]
        if lost:
            return Judgement(str(self), "fail", "; ".join(lost), lost)
        return Judgement(str(self), "pass", f"all {metrics.signals} that were acknowledged were handled")

    def __str__(self) -> str:
        return "no signal lost"


def _unhandled(detail: Mapping[str, Any], handled: Mapping[str, bool]) -> list[str]:
    identity = detail.get("identity")
    if identity is None or handled.get(identity):
        return []
    begun = "its handler had not ended when the run did" if identity in handled else "no handler was called for it"
    return [f"{detail['signal']}: {begun}"]


class _Handled(Interceptor):
    """Notes in a replay which signals a handler was called for, and whether it ended."""

    def __init__(self, handled: dict[str, bool]) -> None:
        self._handled = handled

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002 - the SDK's name
        """The SDK asks for the class of each workflow's interceptor."""
        handled = self._handled

        class Handling(WorkflowInboundInterceptor):
            async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - the SDK's name
                sent = input.headers.get(HEADER)
                identity = sent.data.decode() if sent is not None else ""
                handled[identity] = False
                await super().handle_signal(input)
                handled[identity] = True

        return Handling


def no_signal_lost() -> NoSignalLost:
    """Every signal that was acknowledged to a drill is kept and handled.

    That is: it is in a history of the runbook; a workflow task that began after it has completed, so that it came to
    the runbook's code; and in a replay of that history its handler is called and ends before the run does. Unknown
    where no drill had a signal acknowledged.
    """
    return NoSignalLost()
