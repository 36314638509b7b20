"""Activities for runbooks that recover a cluster: register `ACTIVITIES` with the runbook's worker.

They work on the patient of a rehearsal, which the variable `DEVSERVER_PATIENT` names. What they start belongs to the
patient and survives the death of the runbook's worker. `canary` works on any cluster, by its address. All but `canary`
heartbeat every second, so a `heartbeat_timeout` of some seconds finds a worker that died.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RetryConfig, RPCError

VARIABLE = "DEVSERVER_PATIENT"
CANARY = "devserver-canary"
START_SECONDS = 60.0
HEARTBEAT_SECONDS = 1.0


@activity.defn
async def member_states() -> dict[str, str]:
    """The state of each member of the patient: `running`, `frozen`, `stopped`, `killed` or `exited`, by its name.

    It reads, so it may run any number of times. That a member runs does not show that it works: see `canary`.

    Raises:
        ApplicationError: There is no patient (not retryable), or nobody supervises it.
    """
    status = await ask_patient("status")
    return {member["name"]: member["state"] for member in status["members"]}


@activity.defn
async def start_member(member: str) -> None:
    """Start a member (`history-1`) or a role (`history`) of the patient that does not run; returns when it listens.

    Idempotent: what runs already is left alone. A frozen member counts as running: see `restart_member`.

    Raises:
        ApplicationError: There is no such member (not retryable), or it does not start within 60 s.
    """
    await ask_patient("start", member=member, limit=START_SECONDS)


@activity.defn
async def restart_member(member: str) -> None:
    """Stop a member or a role of the patient (SIGTERM, SIGKILL after 10 s) and start it; returns when it listens.

    Not idempotent: a second run restarts it a second time, which interrupts it again.

    Raises:
        ApplicationError: There is no such member (not retryable), or it does not start within 60 s.
    """
    await ask_patient("restart", member=member, limit=START_SECONDS)


@activity.defn
async def canary(address: str = "", namespace: str = "", deadline: float = 2.0) -> float:
    """Start a workflow that nobody runs, and terminate it; the seconds until its start was acknowledged.

    It shows that frontend, history and database work, and nothing about matching: an acknowledged start may never run.
    Idempotent enough: each attempt starts a workflow of its own, of the type `devserver-canary`.

    Args:
        address: HOST:PORT of a frontend; the patient's if empty.
        namespace: The namespace; the patient's if empty.
        deadline: Seconds for the acknowledgement.

    Raises:
        ApplicationError: It was not acknowledged in time; retryable.
    """
    if not address or not namespace:
        found = _patient()
        address, namespace = address or found["address"], namespace or found["namespace"]
    begin = time.monotonic()
    try:
        client = await asyncio.wait_for(
            Client.connect(address, namespace=namespace, retry_config=RetryConfig(max_retries=1)), deadline
        )
        handle = await client.start_workflow(
            CANARY,
            id=f"{CANARY}-{uuid.uuid4()}",
            task_queue=CANARY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=timedelta(seconds=30),
            rpc_timeout=timedelta(seconds=deadline),
        )
        took = time.monotonic() - begin
        await handle.terminate("canary", rpc_timeout=timedelta(seconds=deadline))
    except (RPCError, RuntimeError, asyncio.TimeoutError) as error:
        raise ApplicationError(f"the canary was not acknowledged within {deadline:g} s: {error!r}") from error
    return took


ACTIVITIES = (member_states, start_member, restart_member, canary)


def _patient() -> dict[str, Any]:
    text = os.environ.get(VARIABLE)
    if not text:
        raise ApplicationError(f"there is no patient: {VARIABLE} is not set", non_retryable=True)
    found: dict[str, Any] = json.loads(text)
    return found


async def ask_patient(kind: str, *, final: tuple[str, ...] = (), **facts: Any) -> dict[str, Any]:
    """Ask the process that supervises the patient; heartbeats every second meanwhile.

    Args:
        kind: The kind of the request.
        final: Names of errors that a retry would meet again.
        **facts: The facts of the request.

    Raises:
        ApplicationError: It fails; the type is the name of the error's class.
    """
    from dataclasses import replace

    from ..cluster import ClusterControl
    from ..errors import DevServerError
    from ..system.paths import Paths

    found = _patient()
    control = ClusterControl(found["cluster"], replace(Paths.default(), data=Path(found["data"])))
    asking = asyncio.ensure_future(asyncio.to_thread(control.ask, kind, **facts))
    try:
        while not (await asyncio.wait({asking}, timeout=HEARTBEAT_SECONDS))[0]:
            activity.heartbeat()
        return await asking
    except DevServerError as error:
        kind = type(error).__name__
        raise ApplicationError(str(error), type=kind, non_retryable=kind in ("MemberUnknown", *final)) from error
