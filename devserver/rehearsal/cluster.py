"""Activities for runbooks that recover a cluster: register `ACTIVITIES` with the runbook's worker.

They work on the patient of a rehearsal, which the variable `DEVSERVER_PATIENT` names; those that only look work on any
cluster, by its address. What they start belongs to the patient and survives the death of the runbook's worker. All but
`canary` heartbeat every second, so a `heartbeat_timeout` of some seconds finds a worker that died.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RetryConfig, RPCError

from ..cluster.declaration import NODE
from ..cluster.role_config import role_of
from .recovery.access import VARIABLE
from .recovery.access import ask as _ask
from .recovery.access import patient as _patient
from .recovery.configuration import dynamic_config_problem, read_dynamic_config, write_dynamic_config
from .recovery.counters import error_counts, errors_since
from .recovery.database import (
    database_connections,
    database_probe,
    end_connections,
    free_disk,
    schema_versions,
    update_schema,
)
from .recovery.health import membership, role_health, shard_owners
from .recovery.ring import add_node, decommission_node, delete_node, remove_node, ring_state, wait_for_node
from .recovery.running_canary import canary_run

__all__ = [
    "ACTIVITIES",
    "VARIABLE",
    "add_node",
    "canary",
    "canary_run",
    "database_connections",
    "database_probe",
    "decommission_node",
    "delete_node",
    "dynamic_config_problem",
    "end_connections",
    "error_counts",
    "errors_since",
    "free_disk",
    "member_states",
    "membership",
    "read_dynamic_config",
    "remove_node",
    "restart_member",
    "ring_state",
    "role_health",
    "schema_versions",
    "shard_owners",
    "start_member",
    "update_schema",
    "upgrade_member",
    "wait_for_node",
    "write_dynamic_config",
]

CANARY = "devserver-canary"
START_SECONDS = 60.0
NODE_SECONDS = 400.0  # a node of Cassandra takes its time on a busy machine


@activity.defn
async def member_states() -> dict[str, str]:
    """The state of each member of the patient: `running`, `frozen`, `stopped`, `killed` or `exited`, by its name.

    It reads, so it may run any number of times. That a member runs does not show that it works: see `canary`.

    Raises:
        ApplicationError: There is no patient (not retryable), or nobody supervises it.
    """
    status = await _ask("status")
    return {member["name"]: member["state"] for member in status["members"]}


@activity.defn
async def start_member(member: str) -> None:
    """Start a member (`history-1`) or a role (`history`) of the patient that does not run; returns when it listens.

    Idempotent: what runs already is left alone. A frozen member counts as running: see `restart_member`.

    Raises:
        ApplicationError: There is no such member (not retryable), or it does not start within 60 s, a
            Cassandra node within 400 s.
    """
    await _ask("start", member=member, limit=_limit(member))


@activity.defn
async def restart_member(member: str) -> None:
    """Stop a member or a role of the patient (SIGTERM, SIGKILL after 10 s) and start it; returns when it listens.

    Not idempotent: a second run restarts it a second time, which interrupts it again.

    Raises:
        ApplicationError: There is no such member (not retryable), or it does not start within 60 s, a
            Cassandra node within 400 s.
    """
    await _ask("restart", member=member, limit=_limit(member))


@activity.defn
async def upgrade_member(member: str, version: str) -> None:
    """Restart a member (`history-1`) or a role (`history`) of the patient with another version of the server.

    It returns when it listens. Idempotent: a process that has this version is started if it does not run, and left
    alone if it does. Update the schema first (`update_schema`). A rollback is the same, with the version before.

    Raises:
        ApplicationError: There is no such member (not retryable), the version is not on this machine, or it does not
            start within 60 s.
    """
    status = await _ask("status")
    chosen = [each for each in status["members"] if member in (each["name"], role_of(each["name"]))]
    for name, has in [(each["name"], each["version"]) for each in chosen] or [(member, "")]:
        await _ask("start" if has == version else "restart", member=name, version=version, limit=START_SECONDS)


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


def _limit(member: str) -> float:
    return NODE_SECONDS if role_of(member) == NODE else START_SECONDS


ACTIVITIES = (
    *(
        member_states,
        start_member,
        restart_member,
        upgrade_member,
        canary,
        canary_run,
        role_health,
        membership,
        shard_owners,
    ),
    *(error_counts, errors_since, database_probe, database_connections, end_connections, free_disk),
    *(schema_versions, update_schema, dynamic_config_problem, read_dynamic_config, write_dynamic_config),
    *(ring_state, add_node, wait_for_node, decommission_node, remove_node, delete_node),
)
