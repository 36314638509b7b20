"""The replay at a test's end also finds values that differ from run to run, which the SDK's replay does not see."""

from __future__ import annotations

from ..conftest import CODEC, Suite

CODE = """
import time
import uuid

SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def echo(value: str | dict) -> str:
    return "echo"


@workflow.defn
class Takes:
    def __init__(self) -> None:
        self.value = ""

    @workflow.run
    async def run(self, value: str = "") -> str:
        await workflow.wait_condition(lambda: value or self.value)
        return "done"

    @workflow.signal
    def take(self, value: str) -> None:
        self.value = value
"""

DIFFERENT = (
    CODE
    + """

@workflow.defn(sandboxed=False)
class Different:
    def __init__(self) -> None:
        self.asked = False

    @workflow.run
    async def run(self, kind: str, other: str) -> str:
        now = str(time.time_ns())
        if kind == "activity":
            await workflow.execute_activity(echo, now, **SHORT)
        elif kind == "timer":
            await workflow.sleep(0.001 * (1 + time.time_ns() % 1000003) / 1000003 + 0.001)
        elif kind == "child":
            await workflow.execute_child_workflow(Takes.run, now, id="child")
        elif kind == "signal":
            await workflow.get_external_workflow_handle_for(Takes.run, other).signal(Takes.take, now)
        elif kind == "update":
            await workflow.wait_condition(lambda: self.asked)
        elif kind == "next" and len(other) < 10:
            workflow.continue_as_new(args=[kind, now])
        return now if kind == "result" else "done"

    @workflow.update
    async def ask(self) -> str:
        await workflow.execute_activity(echo, "value", **SHORT)
        self.asked = True
        return str(time.time_ns())


@pytest.mark.parametrize("kind", ["activity", "timer", "child", "signal", "next", "result"])
def test_different(temporal, kind):
    temporal.worker(workflows=[Different, Takes], activities=[echo])
    other = temporal.start(Takes.run)
    temporal.execute(Different.run, kind, other.id[:5] if kind == "next" else other.id)


def test_update(temporal):
    temporal.worker(workflows=[Different], activities=[echo])
    handle = temporal.start(Different.run, "update", "")
    temporal.run(handle.execute_update(Different.ask))
"""
)

SAME = (
    CODE
    + """
import random
from concurrent.futures import ThreadPoolExecutor


@workflow.defn
class Same:
    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self, rounds: int) -> list:
        info = workflow.info()
        value = {
            "now": workflow.now().isoformat(), "id": str(workflow.uuid4()), "random": workflow.random().random(),
            "run": info.run_id, "queue": info.task_queue, "namespace": info.namespace, "attempt": info.attempt,
            "length": info.get_current_history_length(), "nan": float("nan"),
        }
        await workflow.execute_activity(echo, value, **SHORT)
        cancelled = asyncio.create_task(workflow.sleep(5))
        await asyncio.sleep(0)
        cancelled.cancel()
        await workflow.execute_child_workflow(Takes.run, "x", id=f"child-{rounds}-{info.attempt}")
        await workflow.wait_condition(lambda: True, timeout=3)
        await workflow.sleep(0.01)
        if rounds:
            workflow.continue_as_new(rounds - 1)
        if info.attempt == 1:
            raise ApplicationError("again")
        return [value]

    @workflow.update
    async def ask(self, name: str) -> str:
        return name + await workflow.execute_activity(echo, "value", **SHORT)


def test_same(temporal):
    from temporalio.common import RetryPolicy

    temporal.worker(workflows=[Same, Takes], activities=[echo])
    retry = RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=1))
    temporal.execute(Same.run, 2, retry_policy=retry)
    handle = temporal.start(Same.run, 0)
    assert temporal.run(handle.execute_update(Same.ask, "x")) == "xecho"


@workflow.defn(name="Charges")
class ChargesOne:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(echo, "1", **SHORT)
        await workflow.wait_condition(lambda: False)


@workflow.defn(name="Charges")
class ChargesTwo:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(echo, "2", **SHORT)
        await workflow.wait_condition(lambda: False)


def test_changed_code(temporal):
    with temporal.worker(workflows=[ChargesOne], activities=[echo]):
        temporal.start("Charges")
        while not temporal.calls(echo):
            pass
    temporal.worker(workflows=[ChargesTwo], activities=[echo])
"""
)


def test_values_that_differ_in_the_replay(suite: Suite) -> None:
    """A clock that is read into an input, a duration or a result fails the test, with both values."""
    suite.tests(DIFFERENT)
    result = suite.run()
    result.assert_outcomes(failed=7)
    number = '*"1*[0-9]"* in the history, *"1*[0-9]"* in the replay (non-deterministic, TMPRL1100)'
    for what in (
        "input of the activity",
        "input of the child workflow",
        "input of the signal",
        "input of the next run",
    ):
        result.stdout.fnmatch_lines(f"*does not replay: the {what} is {number}")
    result.stdout.fnmatch_lines("*does not replay: the timer takes 0:00:00.* in the history, 0:00:00.* in the replay*")
    for what in ("result of the workflow", "result of the update"):
        result.stdout.fnmatch_lines(f"*does not replay: the {what} is {number}")
    result.stdout.fnmatch_lines("*nearest event: 5, activity task scheduled (echo)")


def test_values_that_are_the_same(suite: Suite) -> None:
    """What Temporal keeps the same passes: its time, ids, random numbers, the task queue; also encoded values."""
    suite.tests(SAME)
    suite.passes(passed=2)
    suite.file("conftest.py", CODEC.format(more=""))
    suite.passes(passed=2)
