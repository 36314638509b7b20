"""Fixtures of a wider scope: one namespace and its workers for a module, a class or a whole run."""

from __future__ import annotations

import pytest

from .conftest import Suite
from .test_workers import GREET

SHOP = (
    GREET
    + """
from temporaltest import factories

SCOPE = "{scope}"
shop = factories.temporal(scope=SCOPE)
shop_namespace = factories.namespace("shop", scope=SCOPE)
shop_client = factories.client("shop", scope=SCOPE)
shop_worker = factories.worker("shop", scope=SCOPE)


@pytest.fixture(scope=SCOPE, autouse=True)
def running(shop_worker):
    return shop_worker(workflows=[Greet, Waits], activities=[compose])
"""
)


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_scope_has_a_namespace_and_workers_of_its_own(suite: Suite, scope: str) -> None:
    """Tests of one scope share workflows; a test's own fixtures stay apart from them."""
    suite.file("__init__.py", "")
    suite.tests(
        SHOP.replace("{scope}", scope)
        + """
class TestShop:
    def test_one(self, shop, shop_namespace, shop_client):
        assert shop.execute(Greet.run, "Ada", id="ada") == "Hello, Ada"
        assert shop.namespace == shop_namespace == shop_client.namespace

    def test_two(self, shop, temporal):
        assert shop.run(shop.client.get_workflow_handle("ada").result()) == "Hello, Ada"
        assert temporal.namespace != shop.namespace
        assert len(shop.calls(compose)) == 1
        temporal.worker(workflows=[Greet], activities=[compose], mocks={compose: "mocked"})
        assert temporal.execute(Greet.run, "Bob") == "mocked"
        assert shop.execute(Greet.run, "Bob") == "Hello, Bob"
"""
    )
    suite.passes(passed=2)


def test_the_environment_of_a_scope(suite: Suite) -> None:
    """`factories.env` gives a `WorkflowEnvironment` for a module, as suites for the SDK have it."""
    suite.ini("asyncio_mode = auto")
    suite.tests(
        GREET
        + """
from temporalio.worker import Worker
from temporaltest import factories

shop = factories.temporal(scope="module", time_skipping=True)
env = factories.env("shop", scope="module")


async def test_one(env):
    async with Worker(env.client, task_queue="q", workflows=[Greet], activities=[compose]):
        assert await env.client.execute_workflow(Greet.run, "Ada", id="g", task_queue="q") == "Hello, Ada"


async def test_two(env):
    assert env.supports_time_skipping
    assert await env.client.get_workflow_handle("g").result() == "Hello, Ada"
"""
    )
    suite.passes(passed=2)


def test_a_failure_shows_what_ran(suite: Suite) -> None:
    """A failed test that uses a wider fixture, even through another one, shows its workflows."""
    suite.tests(
        SHOP.replace("{scope}", "module")
        + """
@pytest.fixture
def greeting(shop):
    return shop.execute(Greet.run, "Ada", id="the-greeting")


def test_it(greeting):
    assert greeting == "Hello, Bob"


def test_other():
    assert False
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*the-greeting (Greet): completed*"])


def test_a_dead_worker_fails_the_test_that_it_dies_in(suite: Suite) -> None:
    """A worker of a wider scope that ends by itself fails the tests that use it."""
    suite.tests(
        SHOP.replace("{scope}", "module")
        + """
def test_it(shop, running):
    running.task.get_loop().call_soon_threadsafe(running.task.cancel)
    asyncio.run_coroutine_threadsafe(asyncio.wait({running.task}), running.task.get_loop()).result(20)
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*the worker on task queue 'tests' has died*"])


def test_what_ran_is_replayed_at_the_end_of_the_scope(suite: Suite) -> None:
    """Non-determinism is an error of the scope's last test, which names the workflow."""
    suite.tests(
        SHOP.replace("{scope}", "module")
        + """
FLAGS = [True]


@workflow.defn(sandboxed=False)
class Random:
    @workflow.run
    async def run(self) -> None:
        if FLAGS.pop() if FLAGS else False:
            await workflow.sleep(0.01)


def test_it(shop):
    shop.worker(workflows=[Random], task_queue="random")
    shop.execute(Random.run, task_queue="random", id="random")


def test_last(shop):
    pass
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_last*", "*the workflow random (Random) does not replay*"])


def test_wrong_wishes(suite: Suite) -> None:
    """A wish that there is not is told with those there are, when the module is collected."""
    suite.tests(
        """
from temporaltest import factories

shop = factories.temporal(time_skiping=True)
"""
    )
    result = suite.run()
    result.stdout.fnmatch_lines(
        ["*factories.temporal(scope='module') has no word 'time_skiping'; did you mean time_skipping? (valid: *"]
    )
