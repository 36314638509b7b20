"""Nexus operations between workers of two SDKs: the trace of the caller shows the workflow of the handler, and back."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from .conftest import LIMIT, FourSdks
from .test_steps import run_of


@pytest.mark.parametrize(("caller", "handler"), [("python", "go"), ("go", "python")])
def test_the_workflow_of_an_operation_is_shown(four_sdks: FourSdks, caller: str, handler: str) -> None:
    """`trace` has the handler's workflow below the operation, and says of that workflow which operation called it."""
    missing = {caller, handler} - set(four_sdks.sdks)
    if missing:
        pytest.skip(f"there is no worker of {' and '.join(sorted(missing))}")
    endpoint, workflow_id = f"shop-{handler}", f"{caller}-abroad"
    words = ("--name", endpoint, "--target-namespace", "default", "--target-task-queue", handler)
    four_sdks.cli.text("operator", "nexus", "endpoint", "create", *words)

    async def call() -> object:
        client = await Client.connect(four_sdks.cli.address)
        return await client.execute_workflow("Abroad", endpoint, id=workflow_id, task_queue=caller)

    assert asyncio.run(asyncio.wait_for(call(), LIMIT)) == "on its way to Lisbon"
    (step,) = [step for step in run_of(four_sdks, workflow_id)["steps"] if step["kind"] == "nexus"]
    assert step["nexus"] == {"endpoint": endpoint, "service": "Shop", "name": "deliver"}
    assert (step["status"], step["result"]) == ("completed", ['"on its way to Lisbon"'])
    delivery = step["target"]["workflow_id"]
    assert delivery.startswith(f"{handler}-delivery-")
    tree = four_sdks.devserver("trace", workflow_id)
    assert f"nexus {endpoint} Shop.deliver" in tree
    assert '"Lisbon" → "on its way to Lisbon"' in tree.partition("Shop.deliver")[2]  # of the activity `ship`
    assert f"called by a Nexus operation of {workflow_id}, run " in four_sdks.devserver("trace", delivery)
    assert run_of(four_sdks, delivery)["origin"]["caller"]["workflow_id"] == workflow_id
