"""Activities and Nexus operations that no workflow started, and unserved Nexus endpoints, are in the report."""

from __future__ import annotations

import pytest

from ..conftest import Suite

TESTS = """
import nexusrpc
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.common import RetryPolicy

SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@nexusrpc.service
class Shop:
    buy: nexusrpc.Operation[str, str]


@workflow.defn
class Buys:
    @workflow.run
    async def run(self, endpoint: str, seconds: int) -> str:
        limit = timedelta(seconds=seconds) if seconds else None
        shop = workflow.create_nexus_client(service=Shop, endpoint=endpoint)
        return await shop.execute_operation(Shop.buy, "shoes", schedule_to_close_timeout=limit)


@activity.defn
async def declines() -> None:
    raise ValueError("no such card")


def endpoint(temporal):
    name = f"shop-{temporal.namespace}"
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace=temporal.namespace, task_queue="nobody"))
    request = CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
    temporal.run(temporal.client.operator_service.create_nexus_endpoint(request))
    return name


def test_activity(temporal):
    temporal.worker(activities=[declines])
    twice = RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=1))
    temporal.run(temporal.client.execute_activity(declines, id="a", task_queue="tests", retry_policy=twice, **SHORT))


def test_unserved(temporal):
    temporal.worker(workflows=[Buys])
    temporal.execute(Buys.run, endpoint(temporal), 0)


def test_unserved_timeout(temporal):
    temporal.worker(workflows=[Buys])
    temporal.execute(Buys.run, endpoint(temporal), 2)


@pytest.mark.asyncio
@pytest.mark.temporal(dynamic_config={"nexusoperation.enableStandalone": True})
async def test_operation(temporal):
    shop = temporal.client.create_nexus_client(service=Shop, endpoint=endpoint(temporal))
    handle = await shop.start_operation(Shop.buy, "shoes", id="o")
    await handle.result()
"""


def test_what_no_workflow_started(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report has the activity with its attempts and failure, and names the endpoint that no worker serves."""
    monkeypatch.setenv("COLUMNS", "300")
    suite.tests(TESTS)
    result = suite.run("--temporal-timeout", "8", "--show-capture=no", "--junitxml", "junit.xml")
    result.stdout.fnmatch_lines(
        [
            "*_ test_activity _*",
            "  activity a (declines): failed, attempt 2",
            "    ValueError: no such card",
            "*_ test_unserved _*",
            "    Nexus operation Shop.buy pending: scheduled, attempt *",
            "    no worker polls 'nobody' (Nexus endpoint 'shop-test-*')",
            "*_ test_unserved_timeout _*",
            "    no worker polls 'nobody' (Nexus endpoint 'shop-test-*')",
            "*_ test_operation _*",
            "E *WaitTimeout: waited more than 8 s for the Nexus operation o",
            "E *Nexus operation o (Shop.buy, endpoint shop-test-*): running, attempt *",
            "FAILED test_it.py::test_unserved - CannotComplete: no worker polls 'nobody' (Nexus endpoint *",
        ]
    )
    result.assert_outcomes(failed=4)
    assert "a: ValueError: no such card" in (suite.path / "junit.xml").read_text()
