"""The calls of activities in a test: arguments, attempts, heartbeats, results and failures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from temporalio import activity, client, worker


@dataclass(frozen=True)
class Call:
    """One attempt of an activity.

    `args` are those that the activity received; `ended` is False while it runs; `failure` is the exception it raised;
    `workflow_id` is None for an activity that no workflow started.
    """

    activity: str
    args: tuple[Any, ...]
    attempt: int
    activity_id: str
    workflow_id: str | None
    workflow_type: str | None
    mocked: bool = False
    heartbeats: tuple[Any, ...] = ()
    ended: bool = False
    result: Any = None
    failure: BaseException | None = None

    def __str__(self) -> str:
        state = "running" if not self.ended else f"failed: {self.failure!r}" if self.failure else "completed"
        where = f" of {self.workflow_id}" if self.workflow_id else ""
        return f"{self.activity}{where}, attempt {self.attempt}, {state}"


class CallLedger(client.Interceptor, worker.Interceptor):
    """An interceptor that notes every attempt. On a client, it applies to every worker of the client too."""

    def __init__(self) -> None:
        self._calls: dict[bytes, Call] = {}

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Inbound(next, self)

    def calls(self, name: str | None = None) -> list[Call]:
        """The attempts of one activity, or of all, in the order of their start."""
        return [call for call in list(self._calls.values()) if name in (None, call.activity)]

    def running(self) -> list[Call]:
        """The attempts that still run."""
        return [call for call in self.calls() if not call.ended]

    def begin(self, args: tuple[Any, ...]) -> None:
        """Note the start of the current activity."""
        info = activity.info()
        self._calls[info.task_token] = Call(
            info.activity_type, args, info.attempt, info.activity_id, info.workflow_id, info.workflow_type
        )

    def note(self, **changes: Any) -> None:
        """Change what is noted about the current activity."""
        token = activity.info().task_token
        self._calls[token] = dataclasses.replace(self._calls[token], **changes)

    def heartbeat(self, token: bytes, details: tuple[Any, ...]) -> None:
        """Note a heartbeat: its detail, or a tuple if it has several."""
        call = self._calls[token]
        detail = details[0] if len(details) == 1 else details or None
        self._calls[token] = dataclasses.replace(call, heartbeats=(*call.heartbeats, detail))


class _Inbound(worker.ActivityInboundInterceptor):
    def __init__(self, next: worker.ActivityInboundInterceptor, ledger: CallLedger) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._ledger = ledger

    def init(self, outbound: worker.ActivityOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self._ledger))

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        self._ledger.begin(tuple(input.args))
        try:
            result = await super().execute_activity(input)
        except BaseException as error:
            self._ledger.note(ended=True, failure=error)
            raise
        self._ledger.note(ended=True, result=result)
        return result


class _Outbound(worker.ActivityOutboundInterceptor):
    def __init__(self, next: worker.ActivityOutboundInterceptor, ledger: CallLedger) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._ledger = ledger

    def heartbeat(self, *details: Any) -> None:
        self._ledger.heartbeat(self.next.info().task_token, details)
        super().heartbeat(*details)
