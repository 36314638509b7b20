"""Suites with event loops of module or session scope: anyio's, and those of the SDK's samples."""

from __future__ import annotations

from ..conftest import Suite
from .test_workers import GREET


def test_anyio_in_a_module(suite: Suite) -> None:
    """Async fixtures and tests of anyio in a module's loop share a namespace or have their own."""
    suite.file("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    suite.tests(
        GREET
        + """
from temporalio.worker import Worker
from temporaltest import factories

pytestmark = pytest.mark.anyio
shop = factories.temporal(scope="module")


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def order(shop, anyio_backend):
    shop.worker(workflows=[Greet], activities=[compose])
    return await shop.client.start_workflow(Greet.run, "Ada", id="order", task_queue=shop.task_queue)


async def test_shared(order):
    assert await order.result() == "Hello, Ada"


async def test_its_own(order, temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    done = temporal.client.execute_workflow(Greet.run, "Bob", id="order", task_queue=temporal.task_queue)
    assert await done == "Hello, Bob"
    assert await order.result() == "Hello, Ada"


async def test_env(temporal_env):
    async with Worker(temporal_env.client, task_queue="q", workflows=[Greet], activities=[compose]):
        done = temporal_env.client.execute_workflow(Greet.run, "Eve", id="order", task_queue="q")
        assert await done == "Hello, Eve"


def test_sync(order, shop):
    assert shop.run(order.result()) == "Hello, Ada"
"""
    )
    suite.passes("-p", "no:asyncio", passed=4)


def test_fixtures_of_the_sdks_samples(suite: Suite) -> None:
    """The `env` and `client` fixtures of the SDK's samples take a few lines, and the tests are unchanged."""
    suite.ini(
        "asyncio_mode = auto",
        "asyncio_default_test_loop_scope = session",
    )
    suite.file("pytest.ini", (suite.path / "pytest.ini").read_text().replace("= function", "= session"))
    suite.file(
        "conftest.py",
        """
        import pytest_asyncio
        from temporaltest import factories

        temporal_for_all = factories.temporal(scope="session")
        env = factories.env("temporal_for_all", scope="session")


        @pytest_asyncio.fixture
        async def client(env):
            return env.client
        """,
    )
    suite.tests(
        GREET
        + """
import uuid

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker


@pytest.mark.parametrize("name", ["Ada", "Bob"])
async def test_greets(client: Client, env: WorkflowEnvironment, name):
    if env.supports_time_skipping:
        pytest.skip("in real time")
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[Greet], activities=[compose]):
        assert await client.execute_workflow(Greet.run, name, id=queue, task_queue=queue) == f"Hello, {name}"
"""
    )
    suite.passes(passed=2)
