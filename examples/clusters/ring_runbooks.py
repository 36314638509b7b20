"""Runbooks for a ring of Cassandra nodes: those that repair it, and those that make it worse."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal.cluster import (
        add_node,
        canary_run,
        decommission_node,
        delete_node,
        member_states,
        remove_node,
        restart_member,
        ring_state,
        start_member,
        wait_for_node,
    )

SOON = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0)
ALIVE = timedelta(seconds=10)  # between two heartbeats: a dead worker is noticed
LONG = timedelta(minutes=10)

__all__ = [
    *("ACTIVITIES", "DecommissionFirst", "ForgetTheProcess", "RemoveUnreachable", "ReplaceNode"),
    *("RestartHistory", "StartNodes"),
]


async def _state() -> dict[str, str]:
    return await workflow.execute_activity(
        ring_state, start_to_close_timeout=timedelta(minutes=2), heartbeat_timeout=ALIVE, retry_policy=SOON
    )


async def _members() -> dict[str, str]:
    return await workflow.execute_activity(
        member_states, start_to_close_timeout=timedelta(seconds=30), heartbeat_timeout=ALIVE, retry_policy=SOON
    )


async def _on(step: object, node: str) -> None:
    await workflow.execute_activity(
        step,  # type: ignore[arg-type]
        node,
        start_to_close_timeout=LONG,
        heartbeat_timeout=ALIVE,
        retry_policy=SOON,
    )


async def _works() -> None:
    await workflow.execute_activity(
        canary_run, start_to_close_timeout=timedelta(seconds=30), heartbeat_timeout=ALIVE, retry_policy=SOON
    )


@workflow.defn
class RestartHistory:
    """What the alert suggests: history cannot reach its database, so its processes are restarted."""

    @workflow.run
    async def run(self) -> str:
        """Restart every history process."""
        await _state()
        await _on(restart_member, "history")
        return "history was restarted"


@workflow.defn
class RemoveUnreachable:
    """Take the nodes out of the ring that no other one reaches; then start what has ended, and restart history.

    A worker role ends by itself where its database does not answer. A restart before the node is out does not work.
    """

    @workflow.run
    async def run(self) -> str:
        """Repair the ring."""
        while not (lost := [name for name, state in (await _state()).items() if state == "down"]):
            await workflow.sleep(2)
        for node in lost:
            await _on(remove_node, node)
            await _on(delete_node, node)
        for member, state in (await _members()).items():
            if state == "exited":
                await _on(start_member, member)
        await _on(restart_member, "history")
        await _works()
        return f"removed {', '.join(lost)}"


@workflow.defn
class StartNodes:
    """Start the nodes that do not run; one that is frozen answers no signal but SIGKILL, so it is restarted."""

    @workflow.run
    async def run(self) -> str:
        """Bring the quorum back."""
        states = await _members()
        nodes = [name for name, state in states.items() if name.startswith("node-") and state != "running"]
        for node in nodes:
            await _on(restart_member if states[node] == "frozen" else start_member, node)
        for member, state in (await _members()).items():
            if state == "exited":
                await _on(start_member, member)
        await _works()
        return f"started {', '.join(nodes)}"


@workflow.defn
class ReplaceNode:
    """Add a node, then retire another one, and end its process: it does not end by itself."""

    @workflow.run
    async def run(self, new: str = "node-4", old: str = "node-3") -> str:
        """Replace `old` by `new`."""
        await _state()
        await _on(add_node, new)
        await _on(wait_for_node, new)
        await _on(decommission_node, old)
        await _on(delete_node, old)
        await _works()
        return f"{new} has replaced {old}"


@workflow.defn
class DecommissionFirst:
    """Retire a node before its replacement is there: Cassandra refuses, since too few nodes would be left."""

    @workflow.run
    async def run(self, new: str = "node-4", old: str = "node-3") -> str:
        """Replace `old` by `new`, in the wrong order."""
        await _state()
        await _on(decommission_node, old)
        await _on(add_node, new)
        return f"{new} has replaced {old}"


@workflow.defn
class ForgetTheProcess:
    """Add a node, retire another one, and take its end for granted: its process lives on."""

    @workflow.run
    async def run(self, new: str = "node-4", old: str = "node-3") -> str:
        """Replace `old` by `new`, and forget something."""
        await _state()
        await _on(add_node, new)
        await _on(decommission_node, old)
        return f"{new} has replaced {old}"
