"""Async tests with every plugin and loop scope, and without a plugin."""

from __future__ import annotations

import pytest

from ..conftest import Suite
from .test_workers import GREET

SCOPES = ("function", "class", "module", "package", "session")

BODY = """
    temporal.worker(workflows=[Greet], activities=[compose])
    done = await temporal.client.execute_workflow(Greet.run, "Ada", id="g", task_queue=temporal.task_queue)
    assert done == "Hello, Ada"
    assert [call.result for call in temporal.calls(compose)] == ["Hello, Ada"]
"""


SCOPED = (
    GREET
    + f"""
class TestIt:
    MARK
    async def test_one(self, temporal):
        await check(temporal)

    MARK
    async def test_two(self, temporal):
        await check(temporal)


MARK
async def test_three(temporal):
    await check(temporal)


def test_sync(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


async def check(temporal):
{BODY}
"""
)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio(suite: Suite, mode: str) -> None:
    """Async tests, next to sync ones, work in both modes and with any loop scope, from the ini file or a mark."""
    suite.ini(f"asyncio_mode = {mode}", "asyncio_default_test_loop_scope = session")
    suite.file("__init__.py", "")
    suite.tests(SCOPED.replace("MARK", "@pytest.mark.asyncio" if mode == "strict" else ""), "test_ini.py")
    for scope in SCOPES:
        suite.tests(SCOPED.replace("MARK", f"@pytest.mark.asyncio(loop_scope='{scope}')"), f"test_{scope}.py")
    suite.passes(passed=4 * (1 + len(SCOPES)))


def test_anyio(suite: Suite) -> None:
    """Async tests run by anyio on asyncio."""
    suite.file("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    suite.tests(
        GREET
        + f"""
@pytest.fixture(params=["asyncio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
async def test_it(temporal):
{BODY}
"""
    )
    suite.passes("-p", "no:asyncio", passed=1)


def test_no_plugin_for_async_tests(suite: Suite) -> None:
    """Sync tests need no plugin; a coroutine is run with `temporal.run`."""
    suite.file("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    suite.tests(
        GREET
        + f"""
def test_plain(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


def test_a_coroutine(temporal):
    async def check():
{BODY.replace(chr(10) + "    ", chr(10) + "        ")}
    asyncio.run(check())


def test_run(temporal):
    handle = temporal.start(Waits.run)
    temporal.run(handle.signal("anything"))
    temporal.run(handle.cancel())
    temporal.worker(workflows=[Waits])
    with pytest.raises(WorkflowFailureError):
        temporal.run(handle.result())
"""
    )
    suite.passes("-p", "no:asyncio", "-p", "no:anyio", passed=3)


def test_blocking_calls_in_an_async_test(suite: Suite) -> None:
    """`temporal.execute` works there too; a call that would block the worker's own loop is an error at once."""
    suite.ini("asyncio_mode = auto", "temporal_timeout = 60")
    suite.tests(
        GREET
        + """
from temporalio.worker import Worker
from temporaltest import SetupError


async def test_it_works(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


async def test_a_worker_in_the_same_loop(temporal):
    async with Worker(temporal.client, task_queue="q", workflows=[Greet], activities=[compose]):
        with pytest.raises(SetupError, match=r"\\(task queue 'q'\\) runs in this event loop"):
            temporal.execute(Greet.run, "Ada", task_queue="q")
        assert await temporal.client.execute_workflow(Greet.run, "Ada", id="x", task_queue="q") == "Hello, Ada"
    assert temporal.calls(compose)[0].args == ("Ada",)
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


def test_inside_an_activity(temporal):
    async def nested(name):
        return temporal.execute(Greet.run, name)

    temporal.worker(workflows=[Greet], activities=[compose], mocks={compose: nested}, max_concurrent_activities=1)
    handle = temporal.start(Greet.run, "Ada")

    async def until_refused():
        while not any(call.failure for call in temporal.calls(compose)):
            await asyncio.sleep(0.01)

    temporal.run(until_refused())
    assert "runs in this event loop" in str(temporal.calls(compose)[0].failure)
"""
    )
    suite.passes(passed=3)


def test_async_fixtures_of_any_scope(suite: Suite) -> None:
    """An async fixture may use the client in the loop of its scope."""
    suite.ini("asyncio_mode = strict")
    suite.tests(
        GREET
        + """
import pytest_asyncio
from temporaltest import factories

shop = factories.temporal(scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def order(shop):
    shop.worker(workflows=[Greet], activities=[compose])
    return await shop.client.start_workflow(Greet.run, "Ada", id="order", task_queue=shop.task_queue)


@pytest.mark.asyncio
async def test_in_another_loop(order):
    assert await order.result() == "Hello, Ada"


@pytest.mark.asyncio(loop_scope="module")
async def test_in_the_same_loop(order):
    assert await order.result() == "Hello, Ada"


def test_in_none(order, shop):
    assert shop.run(order.result()) == "Hello, Ada"
"""
    )
    suite.passes(passed=3)
