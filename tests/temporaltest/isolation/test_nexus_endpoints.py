"""Nexus endpoints belong to the whole server; here each test has its own, whatever their names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.api.operatorservice.v1 import ListNexusEndpointsRequest
from temporalio.client import Client

from devserver import DevServer
from temporaltest.backends.managed import ManagedBackend
from temporaltest.config import PluginConfig

from ..conftest import TWO, Suite, within

GREETER = """
import os
import signal

import nexusrpc
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest, ListNexusEndpointsRequest
from temporalio.service import RPCError

NAME = "greeting-endpoint"


@nexusrpc.service
class Greetings:
    greet: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Greetings)
class Greeter:
    def __init__(self, word: str) -> None:
        self.word = word

    @nexusrpc.handler.sync_operation
    async def greet(self, context, name: str) -> str:
        return f"{self.word}, {name}"


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        greetings = workflow.create_nexus_client(service=Greetings, endpoint=NAME)
        return await greetings.execute_operation(Greetings.greet, name)


def spec(temporal):
    worker = EndpointTarget.Worker(namespace=temporal.namespace, task_queue=temporal.task_queue)
    return EndpointSpec(name=NAME, target=EndpointTarget(worker=worker))


def create(temporal):
    request = CreateNexusEndpointRequest(spec=spec(temporal))
    return temporal.run(temporal.client.operator_service.create_nexus_endpoint(request)).endpoint
"""

GREETS = (
    GREETER
    + """

def test_{word}(temporal):
    assert create(temporal).spec.name == NAME
    temporal.worker(workflows=[Greet], nexus_service_handlers=[Greeter("{word}")])
    assert temporal.execute(Greet.run, "Ada") == "{word}, Ada"
    service = temporal.client.operator_service
    (found,) = temporal.run(service.list_nexus_endpoints(ListNexusEndpointsRequest(name=NAME))).endpoints
    assert found.spec == spec(temporal)


def test_environment_{word}(temporal_env, temporal):
    temporal.run(temporal_env.create_nexus_endpoint(NAME, temporal.task_queue))
    temporal.worker(workflows=[Greet], nexus_service_handlers=[Greeter("{word}")])
    assert temporal.execute(Greet.run, "Ada") == "{word}, Ada"
"""
)

TWICE = (
    GREETER
    + """

def test_twice(temporal):
    create(temporal)
    create(temporal)


def test_another_client(temporal):
    async def connect():
        from temporalio.client import Client

        return await Client.connect(temporal.address, namespace=temporal.namespace)

    async def create_twice():
        client = await connect()
        request = CreateNexusEndpointRequest(spec=spec(temporal))
        endpoint = (await client.operator_service.create_nexus_endpoint(request)).endpoint
        try:
            await client.operator_service.create_nexus_endpoint(request)
        finally:
            from temporalio.api.operatorservice.v1 import DeleteNexusEndpointRequest

            delete = DeleteNexusEndpointRequest(id=endpoint.id, version=endpoint.version)
            await client.operator_service.delete_nexus_endpoint(delete)

    temporal.run(create_twice())
"""
)

KILLED = (
    GREETER
    + """

def test_killed(temporal):
    create(temporal)
    os.kill(os.getpid(), signal.SIGKILL)
"""
)


def endpoints(home: Path) -> list[str]:
    """The names of the endpoints of the only server of a home."""

    async def names(address: str) -> list[str]:
        client = await Client.connect(address)
        answer = await client.operator_service.list_nexus_endpoints(ListNexusEndpointsRequest())
        return [endpoint.spec.name for endpoint in answer.endpoints]

    with within(home):
        return asyncio.run(names(DevServer.attach(ManagedBackend(PluginConfig()).name).address))


def test_tests_that_create_the_same_endpoint(suite: Suite, standing: Path) -> None:
    """They pass one after the other, at the same time, again, and after a run that was killed; none is left."""
    for word in ("hello", "hi"):
        suite.tests(GREETS.replace("{word}", word), name=f"test_{word}.py")
    suite.passes(passed=4)
    suite.passes(passed=4, ways=TWO)
    assert endpoints(standing) == []
    suite.tests(KILLED)
    suite.run("test_it.py")
    assert len(endpoints(standing)) == 1
    suite.passes("test_hi.py", "--temporal-record", "histories", passed=2)
    assert endpoints(standing) == []
    suite.passes("--temporal-replay-from", "histories", passed=2)


def test_one_test_that_creates_an_endpoint_twice(suite: Suite) -> None:
    """It fails as on any server; the summary says who has the endpoint and what to do."""
    suite.tests(TWICE)
    result = suite.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E *RPCError: the Nexus endpoint 'greeting-endpoint' exists already: this test has created it, for the *",
            "E *already registered*",
            "E *create it with temporal.client or temporal_env.create_nexus_endpoint*",
        ]
    )
