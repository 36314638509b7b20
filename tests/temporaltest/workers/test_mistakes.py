"""A mistake that no wait can heal fails the test after about a second, with the cause in the first line."""

from __future__ import annotations

import pytest

from ..conftest import Suite

CODE = """
import time
from temporalio.client import WorkflowUpdateStage
from temporalio.common import SearchAttributeKey

SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


class Plain:
    pass


@activity.defn
async def missing() -> None:
    pass


@activity.defn
async def present(name: str) -> str:
    return name


@activity.defn
async def plain():
    return Plain()


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, name: str, args: list) -> None:
        await workflow.execute_activity(name, args=args, **SHORT)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow("Nobody", id="child")


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.poked = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.poked)

    @workflow.signal
    def poke(self) -> None:
        self.poked = True

    @workflow.update
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def calls(self) -> None:
        await workflow.execute_activity("missing", **SHORT)


@workflow.defn
class Upserts:
    @workflow.run
    async def run(self) -> None:
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Level").value_set("x")])


@workflow.defn(sandboxed=False)
class Blocks:
    @workflow.run
    async def run(self) -> None:
        time.sleep(2.6)
"""

MISTAKES = """
def test_queue(temporal):
    temporal.worker(workflows=[Waits])
    temporal.execute(Waits.run, task_queue="typo")


def test_no_worker(temporal):
    temporal.execute(Waits.run)


def test_workflow_type(temporal):
    temporal.worker(workflows=[Calls])
    temporal.execute(Waits.run)


def test_child_type(temporal):
    temporal.worker(workflows=[Parent])
    temporal.execute(Parent.run)


def test_activity_type(temporal):
    temporal.worker(workflows=[Calls], activities=[present])
    temporal.execute(Calls.run, "missing", [])


def test_no_activities(temporal):
    temporal.worker(workflows=[Calls])
    temporal.execute(Calls.run, "missing", [])


def test_too_many_arguments(temporal):
    temporal.worker(workflows=[Calls], activities=[present])
    temporal.execute(Calls.run, "present", ["a", "b"])


def test_wrong_type_of_argument(temporal):
    temporal.worker(workflows=[Calls], activities=[present])
    temporal.execute(Calls.run, "present", [{"a": 1}])


def test_result(temporal):
    temporal.worker(workflows=[Calls], activities=[plain])
    temporal.execute(Calls.run, "plain", [])


def test_signal(temporal):
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    temporal.run(handle.signal("pok"))
    temporal.run(handle.result())


def test_update_calls(temporal):
    temporal.worker(workflows=[Waits], activities=[present])
    handle = temporal.start(Waits.run)
    temporal.run(handle.execute_update(Waits.calls))


def test_attribute(temporal):
    temporal.worker(workflows=[Upserts])
    temporal.execute(Upserts.run)


def test_blocks(temporal):
    temporal.worker(workflows=[Blocks])
    temporal.execute(Blocks.run)


@pytest.mark.asyncio
async def test_async(temporal):
    temporal.worker(workflows=[Calls])
    await asyncio.gather(temporal.client.execute_workflow(Waits.run, id="w", task_queue="tests"))


@pytest.mark.asyncio
async def test_standalone(temporal):
    await temporal.client.execute_activity(missing, id="a", task_queue="tests", **SHORT)
"""

FIRST_LINES = {
    "queue": "no worker polls 'typo', the task queue of *Waits*; this test's workers poll 'tests'",
    "no_worker": "no worker polls 'tests', the task queue of the workflow waits-1 (Waits)",
    "workflow_type": "Workflow class Waits is not registered on this worker, available workflows: Calls",
    "child_type": "Workflow class Nobody is not registered on this worker, available workflows: Parent",
    "activity_type": "Activity function missing * is not registered on this worker, available activities: present",
    "no_activities": "no worker polls 'tests', the task queue of the activity missing",
    "too_many_arguments": "the activity present fails on every attempt: TypeError: present() takes 1 positional *",
    "wrong_type_of_argument": "the activity present fails on every attempt: Failed decoding *TypeError: Expected *",
    "result": "the activity plain fails on every attempt: TypeError: Object of type Plain is not JSON *",
    "signal": "signal 'pok': no handler of that name in the workflow waits-1 (Waits) (known: poke)",
    "update_calls": "Activity function missing * is not registered on this worker, available activities: present",
    "attribute": "the workflow upserts-1 (Upserts) fails on every attempt: * search attribute Level",
    "blocks": "the workflow blocks-1 (Blocks) fails on every attempt: *[[]TMPRL1101[]] Potential deadlock *",
    "async": "Workflow class Waits is not registered on this worker, available workflows: Calls",
    "standalone": "no worker polls 'tests', the task queue of the activity missing",
}


def test_mistakes(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake ends its test long before the limit: cause in the summary, the user's line, what to change."""
    monkeypatch.setenv("COLUMNS", "400")
    suite.tests(CODE + MISTAKES)
    result = suite.run("--temporal-timeout", "50")
    result.assert_outcomes(failed=len(FIRST_LINES))
    for test, line in FIRST_LINES.items():
        result.stdout.fnmatch_lines([f"FAILED test_it.py::test_{test} - CannotComplete: {line}*"])
    result.stdout.fnmatch_lines_random(
        [
            "E * start one: temporal.worker(workflows=[[]Waits[]], task_queue='typo')",
            "E * add it to the worker: temporal.worker(activities=[[]missing[]])",
            "E * at test_it.py:* in present",
            "E * at test_it.py:* in plain",
            'E *@pytest.mark.temporal(search_attributes={"Level": "Keyword"})*',
            "E *time.sleep(2.6)*",
            "E * waits at test_it.py:* in run: await workflow.execute_activity(name, args=args, [*][*]SHORT)",
        ]
    )
    assert "was never retrieved" not in result.stderr.str()


ENDED = """
from temporalio.common import SearchAttributePair, TypedSearchAttributes


@workflow.defn
class Forgets:
    @workflow.run
    async def run(self):
        return workflow.execute_activity("present", "Ada", **SHORT)


@workflow.defn
class ForgetsTask:
    @workflow.run
    async def run(self):
        handle = workflow.start_activity("present", "Ada", **SHORT)
        return handle


@workflow.defn
class Encodes:
    @workflow.run
    async def run(self):
        return Plain()


def test_await(temporal):
    temporal.worker(workflows=[Forgets], activities=[present])
    temporal.execute(Forgets.run)


def test_await_task(temporal):
    temporal.worker(workflows=[ForgetsTask], activities=[present])
    temporal.execute(ForgetsTask.run)


def test_result(temporal):
    temporal.worker(workflows=[Encodes])
    temporal.execute(Encodes.run)


def test_update(temporal):
    temporal.worker(workflows=[Waits])
    temporal.run(temporal.start(Waits.run).execute_update("pok"))


def test_start_attribute(temporal):
    level = SearchAttributePair(SearchAttributeKey.for_keyword("Level"), "x")
    temporal.start(Waits.run, search_attributes=TypedSearchAttributes([level]))


def test_build_id(temporal, monkeypatch):
    from temporalio.worker import _replayer, _worker

    for module in (_worker, _replayer):
        monkeypatch.setattr(module, "load_default_build_id", lambda: 1 / 0)
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    temporal.run(handle.signal(Waits.poke))
    temporal.run(handle.result())


def test_production_semantics(temporal):
    temporal.worker(workflows=[Raises], workflow_failure_exception_types=[])
    with pytest.raises(AssertionError, match="its workflow task fails and is retried: ValueError: no"):
        temporal.execute(Raises.run, execution_timeout=timedelta(minutes=5))


@workflow.defn
class Raises:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("no")
"""


OWN = """
@workflow.defn
class Raises:
    @workflow.run
    async def run(self) -> None:
        raise ValueError('of a workflow')


def test_own(temporal):
    raise ValueError('mine')


def test_workflow(temporal):
    temporal.worker(workflows=[Raises])
    temporal.execute(Raises.run)
"""


def test_mistakes_that_end_by_themselves(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that the SDK reports names the user's line and what to change; settings of the user's are kept."""
    monkeypatch.setenv("COLUMNS", "300")
    suite.tests(CODE + ENDED)
    suite.tests(OWN, "temporalio/test_own.py")
    result = suite.run("--temporal-timeout", "4", "--show-capture=no")
    first = "FAILED test_it.py::test_"
    result.stdout.fnmatch_lines_random(
        [
            f"{first}await - *TypeError: Forgets.run returns execute_activity() itself, * did you forget await?",
            f"{first}await_task - *TypeError: ForgetsTask.run returns * did you forget await?",
            f"{first}result - *TypeError: Object of type Plain is not JSON serializable; use a dataclass*",
            f"{first}update - *Update handler for 'pok' expected but not found* known updates: *never*",
            f'{first}start_attribute - *Level; @pytest.mark.temporal(search_attributes={{"Level": "Keyword"}})*',
            "* test_it.py:* in run: return workflow.execute_activity(*",
            "* test_it.py:* in run: return handle",
            ">       raise ValueError('mine')",
            "*temporalio/test_own.py*, line *, in run",
            "*raise ValueError('of a workflow')",
            "* returned at test_it.py:* in run: return Plain()",
        ]
    )
    for inside in ("*json/encoder.py*", "*pluggy*_callers*"):
        result.stdout.no_fnmatch_line(inside)
    result.assert_outcomes(failed=7, passed=2)


HEALS = """
import os
import subprocess
import sys
import threading
from temporalio.worker import Worker


@workflow.defn
class Late:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity("present", "Ada", **SHORT)


def test_thread(temporal):
    def start():
        time.sleep(2)
        temporal.worker(workflows=[Late], activities=[present])

    thread = threading.Thread(target=start)
    thread.start()
    assert temporal.execute(Late.run) == "Ada"
    thread.join()


@pytest.mark.asyncio
async def test_task(temporal):
    waiting = asyncio.create_task(temporal.client.execute_workflow(Late.run, id="late", task_queue="tests"))
    await asyncio.sleep(2)
    async with Worker(temporal.client, task_queue="tests", workflows=[Late], activities=[present]):
        assert await waiting == "Ada"


PROGRAM = '''
import asyncio, sys, time
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

@activity.defn
async def present(name: str) -> str:
    return name

async def main():
    client = await Client.connect(sys.argv[1], namespace=sys.argv[2])
    time.sleep(2)
    await Worker(client, task_queue="tests", activities=[present]).run()

asyncio.run(main())
'''


def test_process(temporal):
    temporal.worker(workflows=[Late], task_queue="others")
    worker = subprocess.Popen([sys.executable, "-c", PROGRAM, temporal.address, temporal.namespace])
    try:
        handle = temporal.run(temporal.client.start_activity(present, "Ada", id="a", task_queue="tests", **SHORT))
        assert temporal.run(handle.result()) == "Ada"
    finally:
        worker.kill()
        worker.wait()


@workflow.defn
class GivesUp:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity("missing", schedule_to_start_timeout=timedelta(seconds=2), **SHORT)
        except Exception as error:
            return str(error.cause)


@workflow.defn
class Races:
    @workflow.run
    async def run(self) -> str:
        calling = workflow.start_activity("missing", **SHORT)
        done, _ = await workflow.wait([calling], timeout=2)
        return "done" if done else "too late"


def test_timeouts(temporal):
    temporal.worker(workflows=[GivesUp, Races])
    assert "timeout" in temporal.execute(GivesUp.run)
    assert temporal.execute(Races.run) == "too late"
    with pytest.raises(WorkflowFailureError):
        temporal.execute(Waits.run, task_queue="nobody", run_timeout=timedelta(seconds=2))
"""


def test_what_may_still_heal(suite: Suite) -> None:
    """A worker that a thread, a task or a process starts later, and a timeout of the workflow's own, are waited for."""
    suite.tests(CODE + HEALS)
    suite.passes(passed=4)


UNBOUNDED = """
def test_update(temporal):
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    update = temporal.run(handle.start_update(Waits.never, wait_for_stage=WorkflowUpdateStage.ACCEPTED))
    temporal.run(update.result())


@pytest.mark.asyncio
async def test_async_update(temporal):
    temporal.worker(workflows=[Waits])
    handle = await temporal.client.start_workflow(Waits.run, id="w", task_queue="tests")
    update = await handle.start_update(Waits.never, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="u")
    await update.result()


@activity.defn
async def sleeps() -> None:
    await asyncio.sleep(60)


@pytest.mark.asyncio
async def test_activity(temporal):
    temporal.worker(activities=[sleeps])
    await temporal.client.execute_activity(sleeps, id="a", task_queue="tests", start_to_close_timeout=timedelta(60))
"""


def test_every_wait_is_bounded(suite: Suite) -> None:
    """The results of updates and standalone activities end at the limit, though the SDK polls them by itself."""
    suite.tests(CODE + UNBOUNDED)
    result = suite.run("--temporal-timeout", "2")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "E *WaitTimeout: waited more than 2 s for a call of temporal.run",
            "E *WaitTimeout: waited more than 2 s for the update u of the workflow w",
            "E * waits at test_it.py:* in never: await workflow.wait_condition(lambda: False)",
            "E *WaitTimeout: waited more than 2 s for the activity a",
        ]
    )
