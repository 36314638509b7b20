"""Small runbooks with three steps each, some careful and some not."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from devserver.rehearsal import ledger

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1)
LIMIT = timedelta(seconds=0.6)
A_SECOND = timedelta(seconds=1)
NAMES = ("one", "two", "three")


@activity.defn
async def step(name: str) -> str:
    """Have an effect, unless it has happened before."""
    done = ledger.read(Path(os.environ[ledger.FILE]))  # the ledger is both the effect and its record
    if ("step", name) not in {(effect.name, effect.key) for effect in done}:
        ledger.effect("step", key=name)
    return name


@activity.defn
async def careless_step(name: str) -> str:
    """Have an effect, even if it has happened before."""
    ledger.effect("step", key=name)
    return name


async def _all(what: Callable[..., Any], **options: Any) -> list[str]:
    options = {"start_to_close_timeout": LIMIT, "retry_policy": SOON, **options}
    return [await workflow.execute_activity(what, name, **options) for name in NAMES]


@workflow.defn
class Sure:
    """Survives: a step is retried, and checks whether its effect has happened."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        return await _all(step)


@workflow.defn
class Careless:
    """A retried step repeats its effect."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        return await _all(careless_step)


@workflow.defn
class Brittle:
    """Steps are not retried."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        return await _all(step, retry_policy=RetryPolicy(maximum_attempts=1))


@workflow.defn
class Hasty:
    """A step times out after 1.2 s, including retries and waits."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        return await _all(step, schedule_to_close_timeout=timedelta(seconds=1.2))


@workflow.defn
class Punctual:
    """The workflow fails after 0.7 s."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        began = workflow.now()
        done = await _all(step)
        if workflow.now() - began > timedelta(seconds=0.7):
            raise ApplicationError("too late")
        return done


@activity.defn
async def listen() -> str:
    """Make one call of 3 s to the server, without a retry."""
    request = PollWorkflowTaskQueueRequest(
        namespace=str(activity.info().workflow_namespace), task_queue=TaskQueue(name="nobody's")
    )
    call = asyncio.ensure_future(activity.client().workflow_service.poll_workflow_task_queue(request, retry=False))
    await asyncio.wait([call], timeout=0.3)  # the call has been sent by then
    ledger.effect("listening")
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(call, 3)
    return "heard nothing"


@workflow.defn
class Listens:
    """One call without a retry."""

    @workflow.run
    async def run(self) -> str:
        """Return the result of the call."""
        never = RetryPolicy(maximum_attempts=1)
        return await workflow.execute_activity(listen, start_to_close_timeout=timedelta(seconds=10), retry_policy=never)


@workflow.defn
class Slow:
    """Waits a second between steps."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return the completed steps."""
        await _all(step)
        await workflow.sleep(1)
        return await _all(careless_step)


@workflow.defn
class OneSure:
    """One step, which checks whether its effect has happened."""

    @workflow.run
    async def run(self) -> str:
        """Return the completed step."""
        return await workflow.execute_activity(step, "one", start_to_close_timeout=A_SECOND, retry_policy=SOON)


@workflow.defn
class OneCareless:
    """One step, which repeats its effect when it is retried."""

    @workflow.run
    async def run(self) -> str:
        """Return the completed step."""
        return await workflow.execute_activity(careless_step, "one", start_to_close_timeout=LIMIT, retry_policy=SOON)


@workflow.defn
class Nothing:
    """Has no step."""

    @workflow.run
    async def run(self) -> str:
        """Return at once."""
        return "done"
