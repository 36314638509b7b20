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
    """Every signal of a drill reached its handler, and the handler ended."""

    def judge(self, run: RehearsalRun) -> Judgement:
        """Judge by the histories and their replay."""
        metrics = RunMetrics.of(run)
        if not metrics.signals:
            return Judgement(str(self), "unknown", "no signal of a drill was acknowledged")
        lost = [f"{signal.name} (acknowledged at {signal.at:.3f} s): {signal.why}" for signal in metrics.lost_signals]
        if lost:
            return Judgement(str(self), "fail", "; ".join(lost), lost)
        handled: dict[str, bool] = {}
        failures = replay(run, [_Handled(handled)])
        if failures:
            return Judgement(
                str(self),
                "unknown",
                "unknown whether the signals were handled: replay fails",
                failures,
            )
        lost = [text for mark in run.marks if mark.lane == "drill" for text in _unhandled(mark.detail, handled)]
        if lost:
            return Judgement(str(self), "fail", "; ".join(lost), lost)
        return Judgement(str(self), "pass", f"all {metrics.signals} acknowledged signals were handled")

    def __str__(self) -> str:
        return "no signal lost"


def _unhandled(detail: Mapping[str, Any], handled: Mapping[str, bool]) -> list[str]:
    identity = detail.get("identity")
    if identity is None or handled.get(identity):
        return []
    begun = "its handler did not end before the run did" if identity in handled else "no handler was called"
    return [f"{detail['signal']}: {begun}"]


class _Handled(Interceptor):
    """Records during a replay which signals were handled, and whether the handler ended."""

    def __init__(self, handled: dict[str, bool]) -> None:
        self._handled = handled

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002 - the SDK's name
        """Called by the SDK for the class of each workflow's interceptor."""
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
    """Every acknowledged signal of a drill is recorded and handled.

    A signal counts as handled if it is in a history of the runbook, if a workflow task that started after it has
    completed, and if its handler is called in a replay of that history and ends before the run does. Unknown if no
    signal was acknowledged.
    """
    return NoSignalLost()
