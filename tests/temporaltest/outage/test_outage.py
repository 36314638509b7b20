"""Outages on the real server: what a test can do to its private server, and what survives it."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from devserver import DevServer, DevServerError, Paths
from devserver.executables.models import Executable
from temporaltest import factories
from temporaltest.errors import SetupError
from temporaltest.facade import Temporal
from temporaltest.outage import AsyncOutage, Outage, ServerKilled
from temporaltest.outage import outage as outage_module
from tests.conftest import processes_of
from tests.helpers.steps import LOST_AFTER, Steps, step
from tests.helpers.waiting import eventually

from ..conftest import Suite, module_home, within

pytestmark = pytest.mark.usefixtures("installed")

SIGNALS = 5
NO_ANSWER = timedelta(milliseconds=300)
Handle = WorkflowHandle[Any, list[int]]


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


@pytest.fixture(scope="module", autouse=True)
def standing_home(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of `standing`."""
    with module_home(prepared, tmp_path_factory) as home, within(home):
        yield home


lasting = factories.temporal(scope="module", outages=True)
lasting_outage = factories.outage("standing")


@pytest.fixture(scope="module")
def standing(lasting: Temporal) -> Temporal:
    """A server for tests that leave it running, and a worker."""
    lasting.worker(workflows=[Steps], activities=[step])
    return lasting


@pytest.fixture
def standing_outage(lasting_outage: Outage, standing_home: Path, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """The outages of that server, which has its home also after a restart; the log is the test's own."""
    monkeypatch.setenv("HOME", str(standing_home))
    lasting_outage._outages.log._events.clear()
    return lasting_outage


def begin(temporal: Temporal) -> Handle:
    """Start a worker, and a workflow with signals."""
    temporal.worker(workflows=[Steps], activities=[step])
    return signaled(temporal)


def signaled(temporal: Temporal) -> Handle:
    """Start a workflow and send it some signals with numbers, which are acknowledged."""
    handle = temporal.start(Steps.run, task_timeout=LOST_AFTER)
    for number in range(SIGNALS):
        temporal.run(handle.signal(Steps.tell, number))
    return handle


async def start(temporal: Temporal) -> Handle:
    """Start the workflow in an async test, without signals."""
    return await temporal.client.start_workflow(
        Steps.run, id="order", task_queue=temporal.task_queue, task_timeout=LOST_AFTER
    )


def finish(temporal: Temporal, handle: Handle) -> list[int]:
    """End the workflow; return the numbers it received."""
    temporal.run(handle.signal(Steps.end))
    return temporal.run(handle.result())


def answers(temporal: Temporal, handle: Handle) -> bool:
    """Return whether the server answers within a short time."""
    try:
        temporal.run(handle.describe(rpc_timeout=NO_ANSWER))
    except RPCError:
        return False
    return True


def entries(outage: Outage) -> list[str]:
    """Return the entries of the outage's log."""
    return [moment.what for moment in outage.log]


# Workflows survive


def kill_and_restart(outage: Outage) -> None:
    """Kill and restart the server."""
    outage.kill()
    outage.restart()


def down_for_a_block(outage: Outage) -> None:
    """Kill the server for the length of a block."""
    with outage.killed():
        pass


def everything_at_once(outage: Outage) -> None:
    """Combine outages of different kinds."""
    outage.slow(10)
    with outage.partitioned(), outage.frozen():
        pass
    with outage.partitioned("to_client"):
        outage.restart()
    outage.reset_connections()


SURVIVED: dict[str, tuple[Callable[[Outage], None], list[str]]] = {
    "kill": (kill_and_restart, ["killed", "up again"]),
    "killed": (down_for_a_block, ["killed", "up again"]),
    "restart": (lambda outage: outage.restart(), ["stopped", "up again"]),
    "down": (lambda outage: outage.restart(down=0.2), ["stopped for 0.2 s", "up again"]),
    "freeze": (lambda outage: outage.freeze(0.2), ["frozen", "thawed"]),
    "partition": (lambda outage: outage.partition(0.2), ["network cut (both)", "network healed"]),
    "to-server": (lambda outage: outage.partition(0.2, "to_server"), ["network cut (to server)", "network healed"]),
    "to-client": (lambda outage: outage.partition(0.2, "to_client"), ["network cut (to client)", "network healed"]),
    "slow": (lambda outage: outage.slow(20), ["slowed by 20 ms"]),
    "at-once": (
        everything_at_once,
        [
            *("slowed by 10 ms", "network cut (both)", "frozen", "thawed", "network healed"),
            *("network cut (to client)", "stopped", "up again", "network healed"),
        ],
    ),
}


@pytest.mark.parametrize("name", SURVIVED)
def test_workflow_in_flight_survives(name: str, standing: Temporal, standing_outage: Outage) -> None:
    """An open workflow completes after the outage, with every acknowledged signal."""
    outage, log = SURVIVED[name]
    handle = signaled(standing)
    outage(standing_outage)
    assert [entry for entry in entries(standing_outage) if "reset" not in entry] == log
    assert finish(standing, handle) == list(range(SIGNALS))


def test_reset_connections(standing: Temporal, standing_outage: Outage) -> None:
    """Client and worker reconnect after their connections were reset."""
    handle = signaled(standing)
    standing_outage.reset_connections()
    assert finish(standing, handle) == list(range(SIGNALS))
    assert standing_outage.log[0].what.endswith("connections reset")
    assert not standing_outage.log[0].what.startswith("0")


@pytest.mark.asyncio
async def test_signals_during_kills_are_not_lost(temporal: Temporal, temporal_outage: Outage) -> None:
    """Of the signals sent while the server is killed repeatedly, no acknowledged one is lost or delivered twice."""
    temporal.worker(workflows=[Steps], activities=[step])
    handle = await start(temporal)
    acknowledged: list[int] = []

    async def tell() -> None:
        for number in range(60):
            await handle.signal(Steps.tell, number)
            acknowledged.append(number)

    telling = asyncio.create_task(tell())
    for _ in range(2):
        await temporal_outage.aio.kill()
        await temporal_outage.aio.restart()
    await telling
    await handle.signal(Steps.end)
    assert sorted(await handle.result()) == acknowledged == list(range(60))


# Effects of outages


def test_frozen_server_does_not_answer(standing: Temporal, standing_outage: Outage) -> None:
    """A frozen server does not answer; after `thaw` it does."""
    handle = signaled(standing)
    with standing_outage.frozen():
        assert not answers(standing, handle)
    assert answers(standing, handle)


def test_partition(standing: Temporal, standing_outage: Outage) -> None:
    """With the network cut the server is unreachable, also for new clients of `standing.address`."""
    handle = signaled(standing)

    async def connect() -> Client:
        return await asyncio.wait_for(Client.connect(standing.address), NO_ANSWER.total_seconds())

    with standing_outage.partitioned():
        assert not answers(standing, handle)
        with pytest.raises(asyncio.TimeoutError):
            standing.run(connect())
    assert answers(standing, handle)
    assert standing.run(connect()).namespace == "default"


def test_partition_to_the_client(standing: Temporal, standing_outage: Outage) -> None:
    """The server receives a signal although its sender gets no answer."""
    handle = signaled(standing)
    with standing_outage.partitioned("to_client"), pytest.raises(RPCError):
        standing.run(handle.signal(Steps.tell, 99, rpc_timeout=NO_ANSWER))
    assert 99 in finish(standing, handle)


def test_slow_answers(standing: Temporal, standing_outage: Outage) -> None:
    """Answers are delayed by the given latency; leaving the block, and `slow(0)`, reset it."""
    handle = signaled(standing)

    def seconds() -> float:
        before = time.monotonic()
        standing.run(handle.describe())
        return time.monotonic() - before

    standing_outage.slow(100)
    assert seconds() >= 0.1
    with standing_outage.slowed(300):
        assert seconds() >= 0.3
    assert seconds() >= 0.1
    standing_outage.slow(0)
    assert entries(standing_outage) == [
        *("slowed by 100 ms", "slowed by 300 ms", "slowed by 100 ms", "no longer slowed"),
    ]


def test_log_has_times(standing_outage: Outage) -> None:
    """The log says what was done, when, and how long after the server was ready."""
    standing_outage.partition(0.1)
    cut, healed = standing_outage.log
    assert healed.seconds - cut.seconds >= 0.1
    assert healed.at - cut.at >= timedelta(seconds=0.05)
    assert str(cut).endswith("network cut (both)")


# A lost database


@pytest.mark.temporal(search_attributes={"Customer": "Keyword"})
@pytest.mark.parametrize("first", ["up", "killed", "cut"])
def test_lose_database(first: str, temporal: Temporal, temporal_outage: Outage) -> None:
    """Workflows are lost with the database; worker, namespace and search attributes still work."""
    handle = begin(temporal)
    if first == "killed":
        temporal_outage.kill()
    if first == "cut":
        with temporal_outage.partitioned():
            temporal_outage.lose_database()
            assert not answers(temporal, handle)
    else:
        temporal_outage.lose_database()
    with pytest.raises(RPCError) as caught:
        temporal.run(handle.describe())
    assert caught.value.status == RPCStatusCode.NOT_FOUND
    again = temporal.start(Steps.run, task_timeout=LOST_AFTER)
    assert finish(temporal, again) == []
    assert temporal.run(temporal.client.count_workflows("Customer IS NULL")) is not None
    assert "database lost" in entries(temporal_outage)


# Servers that stay down


def test_wait_for_a_killed_server(temporal: Temporal, temporal_outage: Outage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait for a server that was killed and not restarted fails with the cause, long before its limit."""
    monkeypatch.setattr(outage_module, "GRACE_SECONDS", 0.2)
    handle = begin(temporal)
    temporal_outage.kill()
    before = time.monotonic()
    with pytest.raises(ServerKilled, match="was killed by temporal_outage and not restarted") as caught:
        temporal.run(handle.result())
    assert time.monotonic() - before < 10
    assert "killed" in str(caught.value).splitlines()[-1]
    temporal_outage.restart()
    assert finish(temporal, handle) == list(range(SIGNALS))


def test_wait_over_a_short_kill(standing: Temporal, standing_outage: Outage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that started before the server was down in a block continues after the block, however long it took."""
    monkeypatch.setattr(outage_module, "GRACE_SECONDS", 0.0)
    handle = signaled(standing)
    results: list[list[int]] = []
    waiting = threading.Thread(target=lambda: results.append(standing.run(handle.result())))
    waiting.start()
    with standing_outage.killed():
        time.sleep(0.5)
    standing.run(handle.signal(Steps.end))
    waiting.join()
    assert results == [list(range(SIGNALS))]


def test_server_that_does_not_come_back(
    temporal: Temporal, temporal_outage: Outage, installed: Executable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed restart raises the reason, waits fail from then on, and the next restart may succeed."""
    monkeypatch.setattr(outage_module, "GRACE_SECONDS", 0.0)
    handle = begin(temporal)
    hidden = installed.path.rename(installed.path.with_name("hidden"))
    with pytest.raises(DevServerError, match="does not exist anymore"):
        temporal_outage.restart()
    assert "does not come back" in entries(temporal_outage)[-1]
    with pytest.raises(ServerKilled):
        temporal.run(handle.result())
    hidden.rename(installed.path)
    temporal_outage.restart()
    assert finish(temporal, handle) == list(range(SIGNALS))


# Conflicts and invalid arguments


def test_conflicting_outages_of_the_process_are_refused(standing_outage: Outage) -> None:
    """A frozen server cannot be frozen or killed, and a killed one cannot be frozen; the error says what to do."""
    with standing_outage.frozen():
        for verb in (standing_outage.kill, standing_outage.restart, standing_outage.lose_database):
            with pytest.raises(SetupError, match="is already frozen; end that block first"):
                verb()
        with pytest.raises(SetupError, match="is already frozen"):
            standing_outage.freeze(1)
    with standing_outage.killed():
        for verb in (standing_outage.kill, lambda: standing_outage.freeze(1)):
            with pytest.raises(SetupError, match=r"is already killed; restart\(\) it first"):
                verb()
    with standing_outage.partitioned(), pytest.raises(SetupError, match="is already cut"):
        standing_outage.partition(1)
    assert entries(standing_outage) == [
        "frozen",
        "thawed",
        "killed",
        "up again",
        "network cut (both)",
        "network healed",
    ]


def test_restart_in_a_block_that_killed(standing_outage: Outage) -> None:
    """A server restarted inside a `killed` block is not restarted again at its end."""
    with standing_outage.killed():
        standing_outage.restart()
    assert entries(standing_outage) == ["killed", "up again"]


def test_invalid_numbers_and_directions(standing_outage: Outage) -> None:
    """The error names the unit of a number or lists the directions; nothing is done."""
    no_numbers: list[tuple[Any, type[Exception]]] = [
        *((-1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError)),
        *(("2", TypeError), (True, TypeError)),
    ]
    for verb in ("freeze", "partition", "slow", "restart"):
        unit = "milliseconds" if verb == "slow" else "seconds"
        for value, error in no_numbers:
            with pytest.raises(error, match=f"{verb}.* takes a number of {unit}.* not "):
                getattr(standing_outage, verb)(value)
    with pytest.raises(ValueError, match="both, to_server, to_client"):
        standing_outage.partition(1, "up")  # type: ignore[arg-type]
    assert standing_outage.log == ()


# Async


@pytest.mark.asyncio
async def test_async_methods(temporal: Temporal, temporal_outage: Outage) -> None:
    """In an async test all methods are awaited, and a workflow survives all outages."""
    temporal.worker(workflows=[Steps], activities=[step])
    handle = await start(temporal)
    outage = temporal_outage.aio
    await outage.kill()
    await outage.restart(down=0.1)
    await outage.freeze(0.1)
    await outage.partition(0.1, "to_server")
    await outage.slow(10)
    await outage.reset_connections()
    for block in (outage.killed(), outage.frozen(), outage.partitioned(), outage.slowed(5)):
        async with block:
            pass
    await handle.signal(Steps.end)
    assert await handle.result() == []
    await outage.lose_database()
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()


@pytest.mark.asyncio
async def test_async_methods_do_not_block_the_loop(standing_outage: Outage) -> None:
    """The test's event loop runs during a restart of the server."""
    restarting = asyncio.create_task(standing_outage.aio.restart(down=0.2))
    turns = 0
    while not restarting.done():
        await asyncio.sleep(0.001)
        turns += 1
    await restarting
    assert turns > 10


@pytest.mark.asyncio
async def test_canceled_freeze_is_thawed(standing_outage: Outage) -> None:
    """Cancelling a task during a freeze leaves no frozen server."""
    freezing = asyncio.create_task(standing_outage.aio.freeze(60))
    while not standing_outage.log:
        await asyncio.sleep(0.001)
    freezing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await freezing
    assert entries(standing_outage) == ["frozen", "thawed"]


@pytest.mark.asyncio
async def test_invalid_numbers_in_async_methods(standing_outage: Outage) -> None:
    """The async methods refuse the same values."""
    with pytest.raises(ValueError, match="freeze takes a number of seconds"):
        await standing_outage.aio.freeze(-1)
    async with standing_outage.aio.frozen():
        with pytest.raises(SetupError, match="is already frozen"):
            await standing_outage.aio.kill()


@pytest.fixture
def anyio_backend() -> str:
    """The SDK supports asyncio only."""
    return "asyncio"


@pytest.mark.anyio
async def test_anyio(standing: Temporal, standing_outage: Outage) -> None:
    """Outages work in tests run by anyio."""
    handle = await start(standing)
    async with standing_outage.aio.partitioned():
        pass
    await standing_outage.aio.restart()
    await handle.signal(Steps.end)
    assert await handle.result() == []


def test_worker_loop_is_not_blocked(standing: Temporal, standing_outage: Outage) -> None:
    """A blocking method called in the worker's loop is refused, and the error names the async one."""
    handle = signaled(standing)

    async def block() -> None:
        standing_outage.freeze(1)

    with pytest.raises(SetupError, match=r"await temporal_outage\.aio\.freeze"):
        standing.run(block())
    standing.run(standing_outage.aio.freeze(0.1))
    assert finish(standing, handle) == list(range(SIGNALS))


def test_every_outage_has_an_async_method() -> None:
    """Every method has an async counterpart with the same arguments."""
    not_for_tests = {
        "alive",
        "answers",
        "trouble",
        "describe",
        "undo",
        "again",
        "over",
        "close",
        "silent",
        "log",
        "address",
    }
    names = {name for name in dir(Outage) if not name.startswith("_")} - not_for_tests
    assert names == {name for name in dir(AsyncOutage) if not name.startswith("_")}
    for name in names:
        ours, twin = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Outage, AsyncOutage))
        assert ours == twin


@pytest.mark.temporal(time_skipping=True)
def test_virtual_time_continues(temporal: Temporal, temporal_outage: Outage) -> None:
    """A workflow with skipped time survives a restart too."""
    handle = begin(temporal)
    temporal_outage.restart()
    assert finish(temporal, handle) == list(range(SIGNALS))


def test_outages_end_with_the_test(temporal_outage: Outage) -> None:
    """A thread that the test leaves running cannot freeze the server afterwards."""
    freezing = threading.Thread(target=temporal_outage.freeze, args=(600,))
    freezing.start()
    eventually(lambda: temporal_outage.log)
    temporal_outage.undo()
    freezing.join()
    assert entries(temporal_outage) == ["frozen", "the test is over", "thawed"]
    with pytest.raises(SetupError, match="the test is over"):
        temporal_outage.kill()


# A user's suite


ORDER = """
@workflow.defn
class Order:
    def __init__(self):
        self.ended = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.ended)
        return "done"

    @workflow.signal
    def end(self) -> None:
        self.ended = True
"""


def test_outages_left_by_a_test_are_restored(both_ways: Suite) -> None:
    """A test may end during any outage: its workflows are still replayed, and nothing of its server is left."""
    both_ways.tests(
        ORDER
        + """
@pytest.mark.parametrize("outage", ["kill", "frozen", "partitioned", "slow", "lose_database"])
def test_leaves(temporal, temporal_outage, outage):
    temporal.worker(workflows=[Order])
    temporal.start(Order.run)
    if outage in ("kill", "lose_database"):
        getattr(temporal_outage, outage)()
    elif outage == "slow":
        temporal_outage.slow(50)
    else:
        getattr(temporal_outage, outage)().__enter__()


@workflow.defn
class Odd:
    runs = 0

    @workflow.run
    async def run(self) -> None:
        Odd.runs += 1
        await asyncio.sleep(0.01 if Odd.runs == 1 else 0)


@pytest.mark.parametrize("outage", ["kill", "lose_database"])
def test_replayed(temporal, temporal_outage, outage):
    from temporalio.worker import UnsandboxedWorkflowRunner

    Odd.runs = 0
    temporal.worker(workflows=[Odd], workflow_runner=UnsandboxedWorkflowRunner())
    temporal.execute(Odd.run)
    getattr(temporal_outage, outage)()
"""
    )
    result = both_ways.run()
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_replayed[[]kill[]]*"])


def test_failure_during_an_outage(suite: Suite) -> None:
    """A test that fails during a freeze is reported with its workflows and outages; the next one passes."""
    suite.tests(
        ORDER
        + """
def test_fails(temporal, temporal_outage):
    temporal.worker(workflows=[Order])
    temporal.start(Order.run, id="the-order")
    temporal_outage.slow(5)
    with temporal_outage.frozen():
        raise OSError("a mistake")


def test_passes(temporal):
    temporal.worker(workflows=[Order])
    handle = temporal.start(Order.run)
    temporal.run(handle.signal(Order.end))
    assert temporal.run(handle.result()) == "done"
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            *("*OSError: a mistake", "*Temporal*", "*the-order*", "outages (seconds since the server was ready):"),
            *(
                "* s  *slowed by 5 ms",
                "* s  *frozen",
                "* s  *thawed",
                "* s  *the test is over",
                "* s  *no longer slowed",
            ),
        ]
    )


def test_dead_server_fails_the_test(suite: Suite, paths: Paths) -> None:
    """A server that died by itself, or cannot be restored at the end of the test, fails the test with the cause."""
    suite.tests(
        ORDER
        + """
def died(temporal, temporal_outage):
    temporal_outage._server.kill()


def test_died(temporal, temporal_outage):
    died(temporal, temporal_outage)


def test_waits(temporal, temporal_outage):
    temporal.worker(workflows=[Order])
    handle = temporal.start(Order.run)
    died(temporal, temporal_outage)
    temporal.run(handle.result())


def test_stays_dead(temporal, temporal_outage):
    temporal_outage.kill()
    temporal_outage._server.executable.unlink()
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        ["*was killed by signal 9 while the test ran*", "*was killed by signal 9 while the test ran*"]
    )
    result.stdout.fnmatch_lines(
        ["*was killed by temporal_outage and not restarted*", "*does not come back:*does not exist anymore*"]
    )
    assert list(paths.instances.iterdir()) == []


def test_outage_on_the_shared_server(suite: Suite) -> None:
    """If the test already uses the shared server, the error says how to request outages."""
    suite.tests(
        """
def test_late(temporal, request):
    request.getfixturevalue("temporal_outage")
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*add temporal_outage to the test's arguments*"])


def test_external_server_has_no_outages(suite: Suite) -> None:
    """Tests with outages are skipped with a reason; others run."""
    suite.tests(
        """
def test_outage(temporal, temporal_outage):
    temporal_outage.kill()


def test_other(temporal):
    temporal.run(temporal.client.count_workflows())
"""
    )
    with DevServer.start() as server:
        result = suite.run("--temporal-address", server.address)
        assert server.running
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the plugin did not start the external server*"])


def test_no_shared_server_is_started_for_outages(suite: Suite, paths: Paths) -> None:
    """A run whose only test has outages starts one private server."""
    suite.tests(
        """
def test_outage(temporal_outage):
    temporal_outage.kill()
"""
    )
    suite.passes(passed=1)
    assert list(paths.instances.iterdir()) == []


def test_killed_run_leaves_no_frozen_server(suite: Suite, home: Path) -> None:
    """A pytest that is killed during a freeze leaves no server."""
    suite.tests(
        """
import os
import signal


def test_killed(temporal_outage):
    with temporal_outage.frozen():
        os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    assert suite.run().ret == -signal.SIGKILL
    eventually(lambda: not processes_of(home))


def test_backend_without_outages(suite: Suite, paths: Paths) -> None:
    """If a private server supports no outages (a container), tests that need them are skipped with a reason."""
    suite.file(
        "conftest.py",
        """
from dataclasses import replace

from temporaltest.backends import managed

private = managed.ManagedBackend.private


def without(self, requirements, *, outages):
    endpoint = private(self, requirements)
    return replace(endpoint, can=endpoint.can - {"outages"}, why_not={"outages": "it is a container"})


managed.ManagedBackend.private = without
""",
    )
    suite.tests(
        """
def test_outage(temporal_outage):
    temporal_outage.kill()
"""
    )
    result = suite.run()
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no outages here: it is a container"])
    assert list(paths.instances.iterdir()) == []
