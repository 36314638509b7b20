"""Workflows with everything that a trace shows, and a worker for them, also as a process.

Run as a program with an address, it runs a worker until it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from contextlib import AbstractContextManager
from datetime import timedelta

import nexusrpc
from temporalio import activity, nexus, workflow
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.helpers import trouble

QUEUE = "traced"
LIMIT = timedelta(seconds=30)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1, maximum_attempts=3)
LATER = RetryPolicy(initial_interval=timedelta(minutes=10))
ENDPOINT = "shop-endpoint"


@activity.defn
async def greet(name: str) -> str:
    """Succeed."""
    return f"hello {name}"


@activity.defn
async def flaky(until: int) -> int:
    """Succeed at that attempt."""
    if activity.info().attempt < until:
        raise ApplicationError("not yet\nsecond line", type="Busy")
    return until


@activity.defn
async def hang() -> None:
    """Never end."""
    await asyncio.Event().wait()


@workflow.defn
class Leaf:
    """A child."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet; fail for `bad`, continue as new once for `again`."""
        if name == "bad":
            await workflow.execute_activity(flaky, 9, start_to_close_timeout=LIMIT, retry_policy=SOON)
        if name == "again":
            workflow.continue_as_new("last")
        return await workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT)


@nexusrpc.service
class Shop:
    """A Nexus service."""

    buy: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Shop)
class ShopHandler:
    """The handler of the service."""

    @nexus.workflow_run_operation
    async def buy(self, context: nexus.WorkflowRunOperationContext, what: str) -> nexus.WorkflowHandle[str]:
        """Start a `Leaf`."""
        return await context.start_workflow(Leaf.run, what, id=f"bought-{context.request_id}")


@workflow.defn
class Everything:
    """A workflow with one step of each kind, in a fixed order."""

    def __init__(self) -> None:
        """Start without a signal."""
        self.signaled = ""

    @workflow.run
    async def run(self) -> str:
        """Wait for the signal in the middle."""
        here = workflow.info().workflow_id
        await workflow.execute_activity(greet, "ann", start_to_close_timeout=LIMIT, summary="the first")
        await workflow.execute_activity(flaky, 2, start_to_close_timeout=LIMIT, retry_policy=SOON)
        with contextlib.suppress(Exception):
            await workflow.execute_activity(flaky, 9, start_to_close_timeout=LIMIT, retry_policy=SOON)
        await workflow.wait_condition(lambda: bool(self.signaled))
        workflow.upsert_memo({"told": True})
        await workflow.execute_local_activity(greet, "local", start_to_close_timeout=LIMIT)
        workflow.patched("patch-1")
        await workflow.sleep(timedelta(milliseconds=10))
        await workflow.execute_child_workflow(Leaf.run, "again", id=f"{here}-again")
        with contextlib.suppress(Exception):
            await workflow.execute_child_workflow(Leaf.run, "bad", id=f"{here}-bad")
        shop = workflow.create_nexus_client(service=Shop, endpoint=endpoint_of(workflow.info().namespace))
        await shop.execute_operation(Shop.buy, "shoes")
        waits = await workflow.start_child_workflow(Waits.run, "child", id=f"{here}-waits")
        await waits.signal(Waits.go)
        await waits
        with contextlib.suppress(Exception):
            await workflow.get_external_workflow_handle("nobody").cancel()
        return self.signaled

    @workflow.signal
    def tell(self, what: str) -> None:
        """Continue."""
        self.signaled = what

    @workflow.update
    async def ask(self, what: str) -> str:
        """Answer after some time."""
        await workflow.sleep(timedelta(milliseconds=1))
        if what == "no":
            raise ApplicationError("asked too much", type="No")
        return f"{what}?"

    @ask.validator
    def check(self, what: str) -> None:
        """Refuse an empty question."""
        if not what:
            raise ApplicationError("say something")


@workflow.defn
class Waits:
    """Wait for a signal, after one of several ways to start."""

    def __init__(self) -> None:
        """Start without a signal."""
        self.gone = False

    @workflow.run
    async def run(self, how: str) -> str:
        """`retry`: with open activities; `child`: only wait; `again`: then continue as new; `fail`: then fail."""
        if how == "retry":
            later = workflow.start_activity(flaky, 9, start_to_close_timeout=LIMIT, retry_policy=LATER)
            hanging = workflow.start_activity(hang, start_to_close_timeout=timedelta(hours=1))
            await asyncio.wait([later, hanging])
        await workflow.wait_condition(lambda: self.gone)
        if how == "again":
            workflow.continue_as_new("child")
        if how == "fail":
            raise ApplicationError("no luck", type="Luck")
        return how

    @workflow.signal
    def go(self) -> None:
        """Continue."""
        self.gone = True


@workflow.defn
class Attempts:
    """A workflow with a retry policy."""

    @workflow.run
    async def run(self, until: int) -> int:
        """Succeed at that attempt."""
        if workflow.info().attempt < until:
            raise ApplicationError("try again", type="Again")
        return until


@workflow.defn
class Buggy:
    """A workflow whose code has a bug."""

    @workflow.run
    async def run(self) -> None:
        """Fail the workflow task."""
        raise KeyError("a bug")


@workflow.defn
class Loop:
    """Repeat the same steps."""

    @workflow.run
    async def run(self, rounds: int) -> None:
        """Run a greeting and a timer per round; the third round's activity is retried once."""
        for number in range(rounds):
            until = 2 if number == 2 else 1
            await workflow.execute_activity(flaky, until, start_to_close_timeout=LIMIT, retry_policy=SOON)
            await workflow.sleep(timedelta(milliseconds=1))


WORKFLOWS = (Everything, Leaf, Waits, Attempts, Buggy, Loop)


def worker(client: Client) -> Worker:
    """A worker for these workflows."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=WORKFLOWS,
        activities=[greet, flaky, hang],
        nexus_service_handlers=[ShopHandler()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    )


def endpoint_of(namespace: str) -> str:
    """The name of the Nexus endpoint: all namespaces of a server share their names."""
    return ENDPOINT if namespace == "default" else f"{ENDPOINT}-{namespace}"


async def make_endpoint(client: Client) -> None:
    """Create the Nexus endpoint that `Everything` calls."""
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace=client.namespace, task_queue=QUEUE))
    spec = EndpointSpec(name=endpoint_of(client.namespace), target=target)
    await client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))


def worker_process(address: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run a worker in its own process, which creates the endpoint; kill it at the end of the block."""
    return trouble.worker_process(address, "tests.helpers.traced")


async def _serve(address: str) -> None:
    client = await Client.connect(address)
    with contextlib.suppress(Exception):
        await make_endpoint(client)
    async with worker(client):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
