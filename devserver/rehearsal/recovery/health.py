"""Activities that look at the processes of a cluster: their health, their ring, the owners of shards.

They work on the patient of a rehearsal, or with an `address` (HOST:PORT of a frontend) on any cluster. They only read,
so they may run any number of times.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from .access import beating, control, patient

SERVICES = {
    "frontend": "temporal.api.workflowservice.v1.WorkflowService",
    "history": "temporal.api.workflowservice.v1.HistoryService",
    "matching": "temporal.api.workflowservice.v1.MatchingService",
    "worker": "temporal.api.workflowservice.v1.WorkerService",
}
AT_ONCE = 4


@activity.defn
async def role_health(member: str = "", address: str = "", role: str = "frontend", deadline: float = 2.0) -> str:
    """What a process says of itself (gRPC health): `SERVING`, `NOT_SERVING`, or `no answer: ...`.

    It says that the process lives and is not stopping. It is no proof that anything works: for its first ten seconds at
    least it says SERVING while its database is dead, frozen, full, slow or cut off. See `canary` and `database_probe`.
    A history process says NOT_SERVING for four to five seconds after its start, although it already serves.
    It reads, so it may run any number of times.

    Args:
        member: A member of the patient, such as `history-1`.
        address: HOST:PORT of the gRPC port of a process of your own cluster, instead of a member.
        role: The role of that process.
        deadline: Seconds for the answer.

    Raises:
        ApplicationError: There is no such member or role; not retryable.
    """
    if not address:
        status = await beating(lambda: control().ask("status"))
        ports = {each["name"]: each["ports"]["grpc"] for each in status["members"]}
        role = member.rpartition("-")[0]
        if member not in ports or role not in SERVICES:
            raise ApplicationError(f"the patient has no process {member!r} with a role", non_retryable=True)
        address = f"127.0.0.1:{ports[member]}"
    if role not in SERVICES:
        raise ApplicationError(f"no such role: {role!r} (roles: {', '.join(SERVICES)})", non_retryable=True)
    try:
        client = await ServiceClient.connect(ConnectConfig(target_host=address, lazy=True))
        serves = await asyncio.wait_for(
            client.check_health(service=SERVICES[role], timeout=timedelta(seconds=deadline)), deadline + 0.5
        )
    except RPCError as error:
        return f"no answer: {error.status.name}: {error.message}"
    except (RuntimeError, asyncio.TimeoutError) as error:
        return f"no answer: {error or f'within {deadline:g} s'}"
    return "SERVING" if serves else "NOT_SERVING"


@activity.defn
async def membership(address: str = "", version: str = "") -> dict[str, list[str]]:
    """The addresses (HOST:PORT) of the processes of each role, as a frontend knows them by gossip.

    A process that died is in it for about seven seconds more, a frozen one for about ten. It needs the executable of a
    cluster of this version (`devserver cluster build`). It reads, so it may run any number of times.

    Args:
        address: HOST:PORT of a frontend; the patient's if empty.
        version: The version of tdbg; the patient's, or that of a new cluster, if empty.

    Raises:
        ApplicationError: The frontend does not answer; retryable.
    """
    from ...cluster import tools

    executable, address = _tool(address, version)
    return await beating(lambda: tools.membership(executable, address))


@activity.defn
async def shard_owners(shards: int = 0, address: str = "", version: str = "") -> dict[str, list[int]]:
    """Which history process has which shards, by its address, according to the database; `nobody` has the others.

    An owner may be dead: compare with `membership`. Shards whose owner died are taken over when gossip has dropped it.
    It reads, so it may run any number of times.

    Args:
        shards: How many there are; the patient's number if 0.
        address: HOST:PORT of a frontend; the patient's if empty.
        version: The version of tdbg; the patient's, or that of a new cluster, if empty.

    Raises:
        ApplicationError: A shard cannot be asked for; retryable.
    """
    from ...cluster import tools

    executable, address = _tool(address, version)
    limit = asyncio.Semaphore(AT_ONCE)

    async def owner(shard: int) -> str:
        async with limit:
            return await beating(lambda: tools.shard_owner(executable, address, shard))

    numbers = range(1, (shards or int(patient()["shards"])) + 1)
    found: dict[str, list[int]] = {}
    for number, name in zip(numbers, await asyncio.gather(*map(owner, numbers)), strict=True):
        found.setdefault(name or "nobody", []).append(number)
    return found


def _tool(address: str, version: str) -> tuple[Path, str]:
    if not address:
        found = patient()
        return Path(found["executable"]) if "executable" in found else executable_of(version), str(found["address"])
    return executable_of(version), address


def executable_of(version: str) -> Path:
    """The executable of a cluster of this version, or of a new one.

    Raises:
        ApplicationError: It is not on this machine; not retryable.
    """
    from ...cluster import executable
    from ...cluster.declaration import DEFAULT_VERSION
    from ...errors import DevServerError
    from ...system.paths import Paths

    try:
        return executable.find(version or DEFAULT_VERSION, Paths.default())
    except DevServerError as error:
        raise ApplicationError(str(error), non_retryable=True) from error
