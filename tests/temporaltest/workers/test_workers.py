"""Workers in tests: start, failure, shutdown within a limit, and loading workflows from anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...conftest import processes_of
from ...helpers.pytest_process import TALK, running
from ...helpers.waiting import eventually
from ..conftest import ALONE, TWO, Suite

GREET = """
@activity.defn
async def compose(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(compose, name, start_to_close_timeout=timedelta(seconds=20))


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)
"""

DEATHS = """
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest


def cancelled(temporal, worker):
    worker.task.get_loop().call_soon_threadsafe(worker.task.cancel)


def shut_down(temporal, worker):
    asyncio.run_coroutine_threadsafe(worker.worker.shutdown(), worker.task.get_loop())


def fatal(temporal, worker):
    queue = worker.worker._activity_worker._fail_worker_exception_queue
    worker.task.get_loop().call_soon_threadsafe(queue.put_nowait, RuntimeError("the pool is broken"))


DEATHS = {
    "cancelled": (cancelled, "ended: other code cancelled its task\\nend a worker with its stop()"),
    "shut-down": (shut_down, "ended: its run() returned, as other code called shutdown()"),
    "fatal": (fatal, "died: RuntimeError: Activity worker failed\\n  because of RuntimeError: the pool is broken"),
}
"""


def test_a_dead_worker_fails_the_test_at_once(both_ways: Suite) -> None:
    """A worker that stops by itself ends the wait at once, with the cause."""
    both_ways.ini("temporal_timeout = 60")
    both_ways.tests(
        GREET
        + DEATHS
        + """
from temporaltest import WorkerDied


@pytest.fixture(params=list(DEATHS))
def death(request):
    return DEATHS[request.param]


def test_it(temporal, death):
    kill, cause = death
    worker = temporal.worker(workflows=[Waits], activities=[compose])
    handle = temporal.start(Waits.run)
    kill(temporal, worker)
    with pytest.raises(WorkerDied) as died:
        temporal.run(handle.result())
    assert cause in str(died.value)
    assert "task queue 'tests'" in str(died.value)
    worker.stopped = True  # what follows is of no interest here


def test_nobody_waits(temporal):
    worker = temporal.worker(workflows=[Waits])
    cancelled(temporal, worker)
    asyncio.run_coroutine_threadsafe(asyncio.wait({worker.task}), worker.task.get_loop()).result(20)


def test_the_next_works(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""
    )
    result = both_ways.run()
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["the worker on task queue 'tests' ended: other code cancelled its task"])


def test_a_deleted_namespace(suite: Suite) -> None:
    """A worker whose namespace does not exist fails the test at once."""
    suite.ini("temporal_timeout = 60")
    suite.tests(
        GREET
        + """
from temporalio.client import Client
from temporaltest import WorkerDied


def test_it(temporal):
    nowhere = Client(**{**temporal.client.config(), "namespace": "nowhere"})
    case = temporal.case
    worker = case.loop.run(case.workers.start(nowhere, workflows=[Greet], activities=[compose], task_queue="q"))
    with pytest.raises(WorkerDied, match="nowhere"):
        temporal.run(asyncio.sleep(60))
    worker.stopped = True
"""
    )
    suite.passes(passed=1)


# A conftest with a short shutdown timeout, for tests whose workers do not stop.
IMPATIENT = """
import temporalio.client
from temporaltest.isolation import context
from temporaltest.workers import eviction

context.STOP_SECONDS, context.SPARE_SECONDS, eviction.EVICT_SECONDS = 1.0, 0.5, 0.5
"""

STUCK = """
import threading

from temporalio.common import RetryPolicy

BEGUN = threading.Event()


@activity.defn
def digs(name: str) -> str:
    BEGUN.set()
    threading.Event().wait()
    return name


@activity.defn
async def holds_on(name: str) -> str:
    BEGUN.set()
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


@activity.defn
async def blocks(name: str) -> str:
    BEGUN.set()
    threading.Event().wait()
    return name


@workflow.defn
class Digs:
    @workflow.run
    async def run(self, which: str) -> str:
        return await workflow.execute_activity(which, "a", start_to_close_timeout=timedelta(hours=1))


@pytest.mark.parametrize("which", ["digs", "holds_on", "blocks"])
def test_stuck(temporal, which):
    BEGUN.clear()
    temporal.worker(workflows=[Digs], activities=[digs, holds_on, blocks])
    temporal.start(Digs.run, which)
    assert BEGUN.wait(20)


def test_the_next_works(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""


def test_an_activity_that_never_ends(both_ways: Suite) -> None:
    """The error at the end of the test names the activity; the next test works, and pytest exits."""
    both_ways.file("conftest.py", IMPATIENT)
    both_ways.tests(GREET + STUCK)
    result = both_ways.run()
    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines_random(
        [
            "*the worker on task queue 'tests' did not stop within 1 s; activities that do not end*",
            "*digs of digs-1, attempt 1, running",
            "*holds_on of digs-1, attempt 1, running",
            "*something blocks the event loop of this test's workers for more than 1 s:",
            "*blocks of digs-1, attempt 1, running",
        ]
    )


def test_an_activity_that_never_ends_in_a_custom_pool(suite: Suite) -> None:
    """An executor that the test gave the worker does not prevent pytest from exiting."""
    suite.file("conftest.py", IMPATIENT)
    suite.tests(
        STUCK.split("@pytest.mark.parametrize")[0]
        + """
from concurrent.futures import ThreadPoolExecutor


def test_stuck(temporal):
    temporal.worker(workflows=[Digs], activities=[digs], activity_executor=ThreadPoolExecutor(100))
    temporal.start(Digs.run, "digs")
    assert BEGUN.wait(20)
"""
    )
    suite.run().assert_outcomes(passed=1, errors=1)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])
def test_interrupted_while_a_worker_does_not_stop(
    ways: tuple[str, ...], times: int, own_suite: Suite, home: Path
) -> None:
    """One or two Ctrl-C while an activity does not end: pytest exits, and nothing is left."""
    own_suite.tests(
        TALK
        + STUCK.split("@pytest.mark.parametrize")[0]
        + """
@pytest.fixture
def last(temporal):
    yield
    report(ends=True)


@pytest.mark.parametrize("n", [1, 2])
def test_stuck(temporal, last, n):
    temporal.worker(workflows=[Digs], activities=[digs])
    temporal.start(Digs.run, "digs")
    assert BEGUN.wait(20)
"""
    )
    with running(own_suite, ways=ways) as run:
        run.reports()
        for _ in range(times):
            run.interrupt()
        assert "KeyboardInterrupt" in run.output()
    assert eventually(lambda: not processes_of(home))


def test_a_blocked_loop_fails_the_wait(suite: Suite) -> None:
    """An async activity that blocks the loop fails the wait with its name, instead of hanging."""
    suite.ini("temporal_timeout = 2")
    suite.file("conftest.py", IMPATIENT)
    suite.tests(
        GREET
        + STUCK.split("@pytest.mark.parametrize")[0]
        + """
from temporaltest import WaitTimeout


def test_it(temporal, monkeypatch):
    monkeypatch.setattr("temporaltest.facade.SPARE_SECONDS", 1.0)
    temporal.worker(workflows=[Digs], activities=[blocks])
    with pytest.raises(WaitTimeout, match="blocks of digs-1, attempt 1, running"):
        temporal.execute(Digs.run, "blocks")
"""
    )
    suite.run().assert_outcomes(passed=1, errors=1)


def test_calls_with_a_blocked_loop(suite: Suite) -> None:
    """While an async activity blocks the loop, starting and stopping workers fail with that reason."""
    suite.ini("temporal_timeout = 2")
    suite.file("conftest.py", IMPATIENT)
    suite.tests(
        GREET
        + STUCK.split("@pytest.mark.parametrize")[0]
        + """
from temporaltest import WorkerStuck


def test_it(temporal, monkeypatch):
    monkeypatch.setattr("temporaltest.workers.running_worker.STOP_SECONDS", 1.0)
    monkeypatch.setattr("temporaltest.workers.running_worker.SPARE_SECONDS", 0.5)
    worker = temporal.worker(workflows=[Digs], activities=[blocks])
    temporal.start(Digs.run, "blocks")
    assert BEGUN.wait(20)
    with pytest.raises(WorkerStuck, match="blocks of digs-1, attempt 1, running"):
        temporal.worker(workflows=[Greet])
    with pytest.raises(WorkerStuck, match="did not stop within 1 s"):
        worker.stop()
"""
    )
    suite.run().assert_outcomes(passed=1, errors=1)


def test_a_workflow_that_blocks(suite: Suite) -> None:
    """A workflow that blocks its thread fails the test, and pytest exits."""
    suite.file("conftest.py", IMPATIENT)
    suite.tests(
        GREET
        + """
import threading

from temporaltest import WaitTimeout, WorkerStuck

FOREVER = threading.Event()


@workflow.defn(sandboxed=False)
class Blocks:
    @workflow.run
    async def run(self) -> None:
        FOREVER.wait()


@pytest.mark.temporal(replay=False)
def test_it(temporal):
    temporal.worker(workflows=[Blocks])
    with pytest.raises(WaitTimeout, match="the workflow blocks-1 .* fails on every attempt: .*TMPRL1101"):
        temporal.execute(Blocks.run)


def test_the_next_works(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*did not stop within 1 s: a workflow blocks its thread; use await in it*"])


def test_workers_can_be_stopped_and_replaced(suite: Suite) -> None:
    """A worker can be stopped during a test; the next worker takes over its workflows."""
    suite.tests(
        GREET
        + """
def test_it(temporal):
    with temporal.worker(workflows=[Greet]):
        handle = temporal.start(Greet.run, "Ada")
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.run(handle.result()) == "Hello, Ada"


def test_the_fixture(temporal_worker, temporal_client, temporal):
    worker = temporal_worker(workflows=[Greet], activities=[compose], task_queue="mine", max_cached_workflows=0)
    assert worker.task_queue == "mine"
    assert temporal.execute(Greet.run, "Ada", task_queue="mine") == "Hello, Ada"
    worker.stop()
    assert worker.task.done()


def test_sync_activities(temporal):
    @activity.defn(name="compose")
    def sync(name: str) -> str:
        return "sync " + name

    temporal.worker(workflows=[Greet], activities=[sync])
    assert temporal.execute(Greet.run, "Ada") == "sync Ada"


def test_a_custom_executor(temporal):
    from concurrent.futures import ThreadPoolExecutor

    @activity.defn(name="compose")
    def sync(name: str) -> str:
        import threading
        return threading.current_thread().name

    with ThreadPoolExecutor(100, thread_name_prefix="mine") as pool:
        worker = temporal.worker(workflows=[Greet], activities=[sync], activity_executor=pool)
        assert temporal.execute(Greet.run, "Ada").startswith("mine")
        worker.stop()
"""
    )
    suite.passes(passed=4)


def test_invalid_workers(suite: Suite) -> None:
    """Workflows and activities without a decorator, or with duplicate names, are setup errors."""
    suite.tests(
        GREET
        + """
from temporaltest import SetupError


class Bare:
    pass


@workflow.defn(name="Greet")
class Again:
    @workflow.run
    async def run(self) -> None: ...


def bare() -> None: ...


@activity.defn(name="compose")
async def again() -> None: ...


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workflows": [Bare]}, "Bare missing attributes, was it decorated with @workflow.defn"),
        ({"workflows": [Greet, Again]}, "More than one workflow named Greet"),
        ({"activities": [bare]}, "bare missing attributes, was it decorated with @activity.defn"),
        ({"activities": [compose, again]}, "More than one activity named compose"),
        ({}, "At least one activity, Nexus service, or workflow must be specified"),
        ({"workflows": [Greet], "max_cached": 1}, "unexpected keyword argument 'max_cached'"),
    ],
)
def test_it(temporal, options, message):
    with pytest.raises(SetupError) as refused:
        temporal.worker(**options)
    assert message in str(refused.value)
"""
    )
    suite.passes(passed=6)


def test_side_effects_at_import(suite: Suite) -> None:
    """A workflow's module with side effects on import is named, with two fixes; both work."""
    for name, work in {"makes": "import os\nos.mkdir('made')", "rolls": "import random\nrandom.random()"}.items():
        suite.file(f"{name}.py", HERE.format(name=name).replace("@workflow.defn", f"{work}\n\n\n@workflow.defn", 1))
    suite.tests(
        """
from temporaltest import SetupError

import makes
import rolls


@pytest.mark.parametrize(("module", "cause"), [(makes, "File exists: 'made'"), (rolls, "random.random")])
def test_it(temporal, module, cause):
    with pytest.raises(SetupError, match="passthrough=") as refused:
        temporal.worker(workflows=[module.Here])
    assert cause in str(refused.value)
    temporal.worker(workflows=[module.Here], passthrough=[module.__name__])
    assert temporal.execute(module.Here.run) == module.__name__
"""
    )
    suite.passes(passed=2)


HERE = """
from temporalio import workflow


@workflow.defn(name="{name}")
class Here:
    @workflow.run
    async def run(self) -> str:
        return "{name}"
"""


ANYWHERE = """
import sys
import types


def test_the_test_itself(temporal):
    temporal.worker(workflows=[Here])
    assert temporal.execute(Here.run) == "{name}"


def test_its_conftest(temporal, here):
    temporal.worker(workflows=[here])
    assert temporal.execute(here.run) == "conftest {name}"


def test_a_made_module(temporal):
    module = types.ModuleType("made")
    sys.modules["made"] = module
    exec(compile(SOURCE, "made.py", "exec"), module.__dict__)
    temporal.worker(workflows=[module.Here])
    assert temporal.execute(module.Here.run) == "made"
"""

CONFTEST = """
import pytest


@pytest.fixture
def here():
    return Here
"""


def anywhere(suite: Suite, *folders: str) -> None:
    """A suite with workflows in tests and in a conftest.py in each of these folders."""
    for folder in folders:
        suite.file(f"{folder}/conftest.py", HERE.format(name=f"conftest {folder}") + CONFTEST)
        text = HERE.format(name=folder) + f"SOURCE = {HERE.format(name='made')!r}\n" + ANYWHERE.format(name=folder)
        suite.file(f"{folder}/test_{folder}.py", text)


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_workflows_from_anywhere(suite: Suite, mode: str) -> None:
    """Workflows may be in tests, in any conftest.py, in a package or in a module that cannot be imported again."""
    anywhere(suite, "one", "pack")
    suite.file("pack/__init__.py", "")
    suite.passes("--import-mode", mode, passed=6)


def test_modules_with_the_same_name(suite: Suite) -> None:
    """With two conftest.py in folders without packages, the first one's workflow is refused, not confused."""
    anywhere(suite, "one", "two")
    result = suite.run()
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*the class Here is not the one in the module 'conftest', which is *two/conftest.py"])
    suite.passes("--import-mode", "importlib", passed=6)


def test_a_data_converter(suite: Suite) -> None:
    """`temporal_client_options` sets the data converter of all clients and workers."""
    suite.tests(
        """
import dataclasses

from temporalio.converter import (
    CompositePayloadConverter, DataConverter, DefaultPayloadConverter, EncodingPayloadConverter
)
from temporalio.api.common.v1 import Payload


class Money:
    def __init__(self, amount):
        self.amount = amount


class MoneyConverter(EncodingPayloadConverter):
    encoding = "text/money"

    def to_payload(self, value):
        if type(value).__name__ != "Money":
            return None
        return Payload(metadata={"encoding": b"text/money"}, data=str(value.amount).encode())

    def from_payload(self, payload, type_hint=None):
        return Money(int(payload.data))


class Converters(CompositePayloadConverter):
    def __init__(self):
        super().__init__(MoneyConverter(), *DefaultPayloadConverter.default_encoding_payload_converters)


@pytest.fixture(scope="session")
def temporal_client_options():
    return {"data_converter": dataclasses.replace(DataConverter.default, payload_converter_class=Converters)}


@activity.defn
async def double(money: Money) -> Money:
    return Money(money.amount * 2)


@workflow.defn
class Doubles:
    @workflow.run
    async def run(self, money: Money) -> Money:
        return await workflow.execute_activity(double, money, start_to_close_timeout=timedelta(seconds=20))


def test_it(temporal):
    temporal.worker(workflows=[Doubles], activities=[double])
    assert temporal.execute(Doubles.run, Money(4)).amount == 8
    assert temporal.calls(double)[0].args[0].amount == 4
"""
    )
    suite.passes(passed=1)


UNENDING = (
    GREET
    + """
import sys
import threading


@workflow.defn
class Swallows:
    @workflow.run
    async def run(self) -> None:
        while True:
            try:
                await workflow.sleep(3600)
            except BaseException:
                pass


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


async def until_it_sleeps(handle):
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("timer_started_event_attributes"):
            return
"""
)


def test_a_workflow_that_cannot_be_stopped(both_ways: Suite) -> None:
    """A workflow that catches its cancellation is named at the end of its test, the next test works, and pytest
    exits."""
    both_ways.file("conftest.py", IMPATIENT)
    both_ways.tests(
        UNENDING
        + """
import gc


def test_it(temporal):
    temporal.worker(workflows=[Swallows])
    temporal.run(until_it_sleeps(temporal.start(Swallows.run)))


def test_stopped_by_the_test(temporal):
    worker = temporal.worker(workflows=[Swallows])
    temporal.run(until_it_sleeps(temporal.start(Swallows.run)))
    with pytest.raises(AssertionError, match="the workflow swallows-1 .Swallows. cannot be ended"):
        worker.stop()


def test_the_next_works(temporal):
    gc.collect()
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""
    )
    result = both_ways.run()
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        [
            "the workflow swallows-1 (Swallows) cannot be ended",
            "*code that catches BaseException in a loop cannot be ended, so a worker never gets rid of it*",
        ]
    )


def test_a_workflow_in_an_endless_loop(suite: Suite) -> None:
    """The workflow is named, and uses no CPU after its test."""
    suite.file("conftest.py", IMPATIENT)
    suite.tests(
        UNENDING
        + """
@pytest.mark.temporal(replay=False)
def test_it(temporal):
    temporal.worker(workflows=[Stubborn])
    with pytest.raises(AssertionError, match="the workflow stubborn-1 .* fails on every attempt: .*TMPRL1101"):
        temporal.execute(Stubborn.run)


def test_the_next_works(temporal):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
    frames, threads = sys._current_frames(), {each.ident: each.name for each in threading.enumerate()}
    where = {frame.f_code.co_name for ident, frame in frames.items() if threads.get(ident) == "temporaltest-workflow"}
    assert "__init__" in where  # of what is never made
    assert where <= {"__init__", "_run_calls"}  # the others wait for work
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*did not stop within 1 s: a workflow blocks its thread*", "*stubborn-1 (Stubborn)"])
