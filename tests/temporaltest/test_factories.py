"""Fixtures of a wider scope: one namespace and its workers for a module, a class or a session."""

from __future__ import annotations

from .conftest import Suite
from .workers.test_workers import GREET

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


def test_a_scope_has_its_own_namespace_and_workers(suite: Suite) -> None:
    """Tests of one scope share workflows, separate from the tests' own fixtures."""
    suite.file("__init__.py", "")
    tests = (
        SHOP
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
    for scope in ("class", "module", "package", "session"):
        suite.tests(tests.replace("{scope}", scope), f"test_{scope}.py")
    suite.passes(passed=8)


def test_the_environment_of_a_scope(suite: Suite) -> None:
    """`factories.env` returns a `WorkflowEnvironment` for a module, like that of the SDK."""
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


def test_a_failure_shows_workflows_of_the_scope(suite: Suite) -> None:
    """A failed test that uses a wider fixture, even indirectly, shows its workflows."""
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


def test_a_dead_worker_fails_the_running_test(suite: Suite) -> None:
    """A worker of a wider scope that stops by itself fails the tests that use it."""
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
    result.stdout.fnmatch_lines(["*the worker on task queue 'tests' ended: *"])


def test_replay_at_the_end_of_the_scope(suite: Suite) -> None:
    """Non-determinism is an error of the scope's last test, and names the workflow."""
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


def test_invalid_arguments(suite: Suite) -> None:
    """An unknown argument is an error at collection, with the known ones."""
    suite.tests(
        """
from temporaltest import factories

shop = factories.temporal(time_skiping=True)
"""
    )
    result = suite.run()
    result.stdout.fnmatch_lines(
        ["*factories.temporal(scope='module') has no keyword 'time_skiping'; did you mean time_skipping? (valid: *"]
    )


def test_a_failure_shows_workflows_of_a_derived_fixture(suite: Suite) -> None:
    """A test that only uses a part of a wider fixture shows that fixture's workflows when it fails."""
    suite.tests(
        SHOP.replace("{scope}", "module")
        + """
def test_it(shop_client):
    asyncio.run(shop_client.execute_workflow(Greet.run, "Ada", id="the-greeting", task_queue="tests"))
    assert False
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the-greeting (Greet): completed*"])


def test_server_and_schedules_of_a_scope(both_ways: Suite) -> None:
    """A wider fixture has its own server and schedules, in all of its tests."""
    both_ways.tests(
        GREET
        + """
from temporalio.client import ScheduleOverlapPolicy
from temporaltest import factories

shop = factories.temporal(scope="module", private_server=True)
shop_server = factories.server("shop", scope="module")
shop_schedules = factories.schedules("shop", scope="module")


@pytest.fixture(scope="module", autouse=True)
def nightly(shop, shop_schedules):
    shop.worker(workflows=[Greet], activities=[compose])
    together = ScheduleOverlapPolicy.ALLOW_ALL  # the run of the test before may still be open
    return shop_schedules.create("0 3 * * *", Greet.run, "Ada", overlap=together)


@pytest.mark.parametrize("number", [1, 2])
def test_it(number, shop, shop_server, shop_schedules, nightly, temporal_server):
    assert shop_server.address == shop.address != temporal_server.address
    assert shop_schedules.trigger(nightly)
"""
    )
    both_ways.passes(passed=2)


CLOCKS = """
from datetime import datetime, timezone
from temporaltest import factories

MONTH = timedelta(days=30)
shop = factories.temporal(scope="module", time_skipping=True)


@workflow.defn
class Month:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(MONTH.total_seconds())


@pytest.fixture(autouse=True, scope="module")
def running(shop):
    shop.worker(workflows=[Month])
"""


def test_clocks_of_a_scope(both_ways: Suite) -> None:
    """`factories.time` moves the clocks of a wider fixture's workflows, in every test that uses it."""
    tests = (
        CLOCKS
        + """
shop_time = factories.time("shop", scope="SCOPE")


@pytest.mark.parametrize("number", [1, 2])
def test_moves(number, shop, shop_time):
    month = shop.start(Month.run, id=f"month-{number}")
    assert shop_time.now(month) < datetime.now(timezone.utc) + timedelta(days=1)
    assert shop_time.fast_forward(month, MONTH / 2) > datetime.now(timezone.utc) + MONTH / 3
    shop.run(month.result())
"""
    )
    for scope in ("function", "module"):
        both_ways.tests(tests.replace("SCOPE", scope), f"test_{scope}.py")
    both_ways.passes(passed=4)


def test_results_of_a_scope_skip_time(suite: Suite) -> None:
    """A wait for a result skips time in a test without the time fixture too, whatever the tests before it did."""
    suite.tests(
        CLOCKS
        + """
shop_time = factories.time("shop")


def test_holds(shop, shop_time):
    month = shop.start(Month.run)
    shop_time.fast_forward(month, timedelta(days=1))
    assert shop_time.now(month) < datetime.now(timezone.utc) + timedelta(days=2)


def test_does_not(shop):
    shop.execute(Month.run)
    shop.run(shop.start(Month.run).result())
"""
    )
    suite.passes(passed=2)


OUTAGES = (
    GREET
    + """
from temporaltest import factories

shop = factories.temporal(scope="module", outages=True)


@pytest.fixture(autouse=True, scope="module")
def running(shop):
    shop.worker(workflows=[Greet], activities=[compose])


def greet(shop):
    return shop.execute(Greet.run, "Ada", task_timeout=timedelta(seconds=1))
"""
)


def test_outages_of_a_scope(both_ways: Suite) -> None:
    """`factories.outage` affects a wider fixture's server; what a test leaves in effect is restored before the next."""
    both_ways.tests(
        OUTAGES
        + """
shop_outage = factories.outage("shop")


@pytest.mark.parametrize("number", [1, 2])
def test_kills(number, shop, shop_outage):
    assert greet(shop) == "Hello, Ada"
    shop_outage.kill()


def test_is_well(shop):
    assert greet(shop) == "Hello, Ada"


def test_own_server(temporal, shop):
    assert temporal.address != shop.address
"""
    )
    both_ways.passes(passed=4)


def test_an_outage_for_a_whole_scope(suite: Suite) -> None:
    """An outage started by a fixture of a wider scope is in effect in all of its tests, also after a failure, and
    ends with the scope."""
    suite.tests(
        OUTAGES
        + """
shop_outage = factories.outage("shop", scope="class")


@pytest.fixture(scope="class")
def slow(shop_outage):
    with shop_outage.slowed(40):
        yield


@pytest.fixture(scope="class")
def frozen(shop_outage):
    with shop_outage.frozen():
        yield


@pytest.mark.usefixtures("slow")
class TestSlow:
    def test_fails(self, shop):
        assert False

    def test_on(self, shop, shop_outage):
        assert [moment.what for moment in shop_outage.log][-1].startswith("slow")
        assert greet(shop) == "Hello, Ada"


@pytest.mark.usefixtures("frozen")
class TestFrozen:
    def test_fails(self, shop):
        assert False

    def test_on(self, shop, shop_outage):
        assert [moment.what for moment in shop_outage.log][-1] == "frozen"


def test_over(shop):
    assert greet(shop) == "Hello, Ada"
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        ["*the state of the workflows is unknown: *an outage of the server is active*", "outages *"]
    )


def test_missing_parts(suite: Suite) -> None:
    """Clocks and outages of a fixture created without them are an error that shows the arguments to add."""
    suite.tests(
        """
from temporaltest import factories

shop = factories.temporal()
shop_time = factories.time("shop")
shop_outage = factories.outage("shop")


def test_time(shop_time):
    pass


def test_outage(shop_outage):
    pass
"""
    )
    result = suite.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["*factories.temporal(..., time_skipping=True)*", "*factories.temporal(..., outages=True)*"]
    )
    result.stdout.no_fnmatch_line("*scopes.py*")


def test_stored_histories_of_a_scope(suite: Suite) -> None:
    """`factories.replay` replays stored histories in a module's fixture; a bad one is an error of its tests."""
    suite.tests(GREET, name="greets.py")
    suite.ini("pythonpath = .")
    suite.file(
        "test_it.py",
        """
        import pytest
        from greets import Greet, compose
        from temporaltest import factories

        shop_replay = factories.replay(scope="module")

        def test_records(temporal):
            temporal.worker(workflows=[Greet], activities=[compose])
            temporal.execute(Greet.run, "Ada")

        @pytest.fixture(scope="module")
        def replayed(shop_replay):
            return shop_replay("histories", workflows=[Greet])

        def test_one(replayed):
            assert len(replayed) == 1

        def test_two(shop_replay):
            shop_replay("histories/test_it.py-test_records/greet-1.json")
        """,
    )
    suite.passes("--temporal-record", "histories", "-k", "records", passed=1)
    suite.passes("-k", "one or two", passed=2)
    path = suite.path / "greets.py"
    path.write_text(path.read_text().replace("workflow.execute_activity", "workflow.execute_local_activity"))
    result = suite.run("-k", "one or two")
    result.assert_outcomes(errors=1, failed=1)
    result.stdout.fnmatch_lines(["E *histories/*greet-1.json: the workflow greet-1 (Greet) does not replay: *"])
