"""The interceptor of the worker: each attempt of an activity asks the rehearsal how to continue, at start and end."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Asks(Protocol):
    """Answers how an activity continues."""

    async def ask(self, **question: Any) -> dict[str, Any]:
        """The instruction for an activity at a phase."""
        ...


class ActivityInterceptor(Interceptor):
    """Asks before and after each attempt."""

    def __init__(self, control: Asks) -> None:
        self._control = control

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Called by the SDK for the interceptor's link of the chain."""
        return _Intercepted(next, self._control)


class _Intercepted(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, control: Asks) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._control = control

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        await self._obey(await self._ask("starts"))
        try:
            result = await super().execute_activity(input)
        except asyncio.CancelledError:
            await self._ask("fails", error="cancelled")
            raise
        except Exception as error:
            await self._obey(await self._ask("fails", error=f"{type(error).__name__}: {error}"))
            raise
        await self._obey(await self._ask("completes"))
        return result

    async def _ask(self, phase: str, **more: str) -> dict[str, Any]:
        info = activity.info()
        return await self._control.ask(
            phase=phase,
            activity=info.activity_type,
            activity_id=info.activity_id,
            attempt=info.attempt,
            workflow_id=info.workflow_id,
            **more,
        )

    async def _obey(self, answer: dict[str, Any]) -> None:
        detail = answer["detail"]
        if answer["order"] == "fail":
            raise ApplicationError(detail["message"], type=detail["type"], non_retryable=detail["non_retryable"])
        if answer["order"] == "hang":
            await asyncio.Event().wait()
        if answer["order"] == "sleep":
            await asyncio.sleep(detail["seconds"])
