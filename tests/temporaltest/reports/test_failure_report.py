"""A failed test shows what its workflows did: in the terminal, in files, and in JUnit's properties."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import datetime

import pytest

from ...conftest import Run
from ..conftest import CODEC, Suite

WORKFLOWS = """
SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def charge(amount: int) -> str:
    return f"charged {amount}"


@activity.defn
async def decline(amount: int) -> str:
    raise ValueError(f"no {amount} on this card")


@workflow.defn
class Order:
    @workflow.run
    async def run(self, amount: int) -> str:
        return await workflow.execute_activity(charge, amount, **SHORT)


@workflow.defn
class Stuck:
    @workflow.run
    async def run(self) -> None:
        declined = asyncio.create_task(workflow.execute_activity(decline, 5, **SHORT))
        await self.approval()

    async def approval(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def poke(self) -> None:
        pass
"""

FAILS = (
    WORKFLOWS
    + """

def test_wrong(temporal):
    temporal.worker(workflows=[Order], activities=[charge])
    assert temporal.execute(Order.run, 5) == "charged 6"
"""
)


def test_section_of_a_failed_test(both_ways: Suite) -> None:
    """The report of a failed assertion has a section with namespace, workflow, status and a short trace."""
    both_ways.tests(FAILS)
    result = both_ways.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       assert temporal.execute(Order.run, 5) == *",
            "E       AssertionError: assert 'charged 5' == 'charged 6'",
            "*-- Temporal --*",
            "namespace test-wrong-*",
            "  order-1 (Order): completed",
            "*1 *+0.000s  workflow execution started (Order) input 5",
            "*5 *s  activity task scheduled (charge) input 5",
            "*s  activity task completed result 'charged 5'",
            "*s  workflow execution completed result 'charged 5'",
        ]
    )
    result.stdout.no_fnmatch_line("*workflow task scheduled*")
    result.stdout.no_fnmatch_line("*temporaltest/*.py*")


def test_a_wait_that_times_out(suite: Suite) -> None:
    """The report names the line where the workflow waits, and the retried activity with its failure."""
    suite.tests(
        WORKFLOWS
        + """

def test_stuck(temporal):
    temporal.worker(workflows=[Stuck], activities=[decline])
    temporal.execute(Stuck.run)
"""
    )
    result = suite.run("--temporal-timeout", "1", "--show-capture=no")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       temporal.execute(Stuck.run)",
            "E       temporaltest.errors.WaitTimeout: waited more than 1 s for the workflow stuck-1",
            "E       open workflows:",
            "E         stuck-1 (Stuck): running",
            "E           activity decline pending: *, attempt *",
            "E             last failure: ValueError: no 5 on this card",
            'E               File "*test_it.py", line *, in decline',
            'E                 raise ValueError(f"no {amount} on this card")',
            "E           waits at test_it.py:* in approval: await workflow.wait_condition(lambda: False)",
            "E             called from test_it.py:* in run: await self.approval()",
            "",
            "test_it.py:*: WaitTimeout",
        ]
    )
    for inside in ("*temporaltest/*.py*", "*concurrent/futures*", "*site-packages*"):
        result.stdout.no_fnmatch_line(inside)


def test_full_trace(suite: Suite) -> None:
    """With --full-trace no frame is left out of a traceback."""
    suite.tests(FAILS.replace("Order.run, 5)", "'Order')"))
    result = suite.run("--full-trace")
    result.stdout.fnmatch_lines(["*temporaltest/*.py*"])


def test_files(both_ways: Suite) -> None:
    """`--temporal-report` writes a text and a JSON for each failed test, and none for a passed test."""
    path = both_ways.tests(FAILS.replace("def test_wrong(temporal)", "def test_wrong(temporal, number)"))
    path.write_text(
        path.read_text().replace("def test_wrong", '@pytest.mark.parametrize("number", [1, 2])\ndef test_wrong')
        + "\n\ndef test_right(temporal):\n    pass\n"
    )
    result = both_ways.run("--temporal-report", "reports")
    result.assert_outcomes(failed=2, passed=1)
    names = [f"test_it.py-test_wrong-{number}.{kind}" for number in (1, 2) for kind in ("json", "txt")]
    assert sorted(path.name for path in (both_ways.path / "reports").iterdir()) == names
    text = (both_ways.path / "reports" / names[1]).read_text()
    assert text.startswith("test_it.py::test_wrong[1]: call failed\n\n")
    assert "assert 'charged 5' == 'charged 6'" in text
    assert "  order-1 (Order): completed\n" in text
    report = json.loads((both_ways.path / "reports" / names[0]).read_text())
    [workflow] = report["workflows"]
    assert (report["test"], report["phase"]) == ("test_it.py::test_wrong[1]", "call")
    assert (workflow["id"], workflow["type"], workflow["status"]) == ("order-1", "Order", "completed")
    assert workflow["trace"][0].endswith("workflow execution started (Order) input 5")


def test_outages_are_reported(suite: Suite) -> None:
    """The section and the files show what a failed test did to its server, even if the server is gone."""
    suite.tests(
        """
def test_frozen(temporal, temporal_outage):
    with temporal_outage.frozen():
        pass
    assert False


def test_gone(temporal, temporal_outage):
    with temporal_outage.slowed(50):
        pass
    temporal_outage._server.kill()
    assert False
"""
    )
    result = suite.run("--temporal-report", "reports")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["outages (seconds since the server was ready):", "* s  *Z  frozen", "* s  *Z  thawed"])
    for name, done in {"frozen": ["frozen", "thawed"], "gone": ["slowed by 50 ms", "no longer slowed"]}.items():
        report = json.loads((suite.path / "reports" / f"test_it.py-test_{name}.json").read_text())
        assert [outage["what"] for outage in report["outages"]] == done
        assert all(datetime.fromisoformat(outage["at"]) and outage["seconds"] > 0 for outage in report["outages"])
    assert "was killed by signal 9 while the test ran" in report["unknown"]


def test_a_wait_for_an_activity_that_timed_out(suite: Suite) -> None:
    """After an attempt that timed out, the report says when the next one is due."""
    suite.tests(
        """
from temporalio.common import RetryPolicy

SLOW = timedelta(hours=1)


@activity.defn
async def hangs() -> None:
    await asyncio.sleep(3600)


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        retry = RetryPolicy(initial_interval=SLOW)
        await workflow.execute_activity(hangs, start_to_close_timeout=timedelta(seconds=1), retry_policy=retry)


async def until_it_timed_out(handle):
    while not (found := (await handle.describe()).raw_description.pending_activities) or found[0].attempt == 1:
        await asyncio.sleep(0.05)


def test_waits(temporal):
    temporal.worker(workflows=[Waits], activities=[hangs])
    temporal.run(until_it_timed_out(temporal.start(Waits.run)))
    assert False
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"\s+activity hangs pending: waits until \d\d:\d\d:\d\dZ for its next attempt, attempt 2"]
    )


def test_an_unusable_report_folder(suite: Suite) -> None:
    """The section says that the report cannot be written, and the test fails for its own reason."""
    suite.tests(FAILS)
    suite.file("reports", "a file in the place of a folder")
    result = suite.run("--temporal-report", "reports")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       AssertionError: *", "(the report cannot be written: *"])


def test_junit(both_ways: Suite) -> None:
    """The JUnit file has the namespace, the workflows, their failures and the report's path as properties of the
    test."""
    both_ways.tests(
        WORKFLOWS
        + """

@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("price")


def test_buggy(temporal):
    temporal.worker(workflows=[Buggy])
    temporal.execute(Buggy.run)
"""
    )
    files = ("--junitxml", "junit.xml", "--temporal-report", "reports", "--temporal-summary", "summary.md")
    both_ways.run(*files).assert_outcomes(failed=1)
    tree = ET.parse(both_ways.path / "junit.xml")
    properties = [(element.get("name"), element.get("value")) for element in tree.iter("property")]
    assert len(properties) == 4
    found = dict(properties)
    [failure] = tree.iter("failure")
    assert "buggy-1 (Buggy): failed" in str(failure.text)
    assert str(found["temporal_namespace"]).startswith("test-buggy-")
    assert found["temporal_workflows"] == "buggy-1 (Buggy): failed"
    assert found["temporal_failures"] == "buggy-1: KeyError: 'price'"
    assert found["temporal_report"] == str(both_ways.path / "reports" / "test_it.py-test_buggy.txt")
    summary = (both_ways.path / "summary.md").read_text()
    assert "### Tests\\: 1 failed" in summary
    assert "| test\\_it.py\\:\\:test\\_buggy | WorkflowFailureError\\: KeyError\\: 'price'" in summary
    assert "buggy-1 (Buggy): failed" in summary


def test_payloads_that_cannot_be_decoded(suite: Suite) -> None:
    """Payloads that cannot be decoded or are too large do not prevent the report."""
    suite.tests(
        """
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue


def test_secret(temporal):
    temporal.worker(activities=[done])
    unknown = RawValue(Payload(metadata={"encoding": b"binary/unheard-of"}, data=b"?"))
    temporal.start("Nobody", unknown, id="secret", task_queue="nobody's")
    temporal.start("Nobody", "x" * 20_000, id="big", task_queue="nobody's")
    temporal.start("Nobody", "y" * 200, id="wide", task_queue="nobody's")
    assert False


@activity.defn
async def done() -> None:
    pass
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  secret (Nobody): running",
            "    workflow task pending, attempt 1",
            '    no worker of this test polls its task queue "nobody\'s"; they poll *',
            "*workflow execution started (Nobody) input <cannot be decoded: *>",
            "  big (Nobody): running",
            "*workflow execution started (Nobody) input <20,0* bytes>",
            "  wide (Nobody): running",
            "*workflow execution started (Nobody) input 'yyy*yyy... (122 more characters)",
        ]
    )


def test_encoded_failures(suite: Suite) -> None:
    """Encoded failure messages are shown decoded."""
    suite.file("conftest.py", CODEC.format(more="failure_converter_class=DefaultFailureConverterWithEncodedAttributes"))
    suite.tests(
        """
@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("price")


def test_buggy(temporal):
    temporal.worker(workflows=[Buggy])
    temporal.execute(Buggy.run)
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  buggy-1 (Buggy): failed", "    KeyError: 'price'", '*raise KeyError("price")'])


def test_long_reports_are_shortened(suite: Suite) -> None:
    """Of a long history the start and the end are shown, and of many workflows those that did not complete."""
    suite.tests(
        WORKFLOWS
        + """

def test_much(temporal):
    temporal.worker(workflows=[Stuck, Order], activities=[decline, charge])
    handle = temporal.start(Stuck.run, id="the-long-one")
    for _ in range(120):
        temporal.run(handle.signal(Stuck.poke))
    for _ in range(25):
        temporal.execute(Order.run, 1)
    assert False
"""
    )
    result = suite.run("--show-capture=no")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  the-long-one (Stuck): running",
            "*workflow execution started (Stuck)",
            "*... * of * events are not shown ...",
            "  order-* (Order): completed",
            "... and more than 20 workflows",
        ]
    )
    assert len(result.stdout.lines) < 300


def test_setup_and_teardown(suite: Suite) -> None:
    """A fixture that fails during setup or teardown gets the section too."""
    suite.tests(
        WORKFLOWS
        + """

@pytest.fixture
def order(temporal):
    temporal.worker(workflows=[Order], activities=[charge])
    temporal.execute(Order.run, 1, id="of-the-fixture")
    yield
    raise RuntimeError("after")


@pytest.fixture
def broken(temporal):
    temporal.worker(workflows=[Order], activities=[charge])
    temporal.execute(Order.run, 1, id="of-the-setup")
    raise RuntimeError("before")


def test_teardown(order):
    pass


def test_setup(broken):
    pass
"""
    )
    result = suite.run("--temporal-report", "reports")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["E       RuntimeError: after", "  of-the-fixture (Order): completed"])
    result.stdout.fnmatch_lines(["E       RuntimeError: before", "  of-the-setup (Order): completed"])
    names = ["test_it.py-test_setup.setup.json", "test_it.py-test_teardown.teardown.json"]
    assert sorted(path.name for path in (suite.path / "reports").glob("*.json")) == names


def test_link_to_a_kept_server(own_suite: Suite, devserver: Run) -> None:
    """If the server is kept after the run, each workflow has a link to the Web UI, also in the JUnit file."""
    own_suite.tests(FAILS)
    try:
        result = own_suite.run("--temporal-keep=on", "--junitxml=junit.xml")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                "namespace test-wrong-*  http://127.0.0.1:*/namespaces/test-wrong-*/workflows",
                "    http://127.0.0.1:*/namespaces/test-wrong-*/workflows/order-1/*-*-*-*-*",
            ]
        )
        found = {
            element.get("name"): element.get("value")
            for element in ET.parse(own_suite.path / "junit.xml").iter("property")
        }
        assert f"namespace {found['temporal_namespace']}  {found['temporal_ui']}" in result.stdout.lines
    finally:
        for instance in json.loads(devserver("list", "--json").stdout)["servers"]:
            assert devserver("down", "--name", instance["name"]).returncode == 0


def test_a_killed_server(suite: Suite) -> None:
    """A test that fails after it killed its server fails for its own reason, without a timeout."""
    suite.tests(
        """
def test_killed(temporal, temporal_outage):
    temporal_outage.kill()
    raise KeyError("my own")
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       KeyError: 'my own'", "*-- Temporal --*"])


def test_nothing_without_temporal(suite: Suite) -> None:
    """A failed test that does not use Temporal has an unchanged report."""
    suite.tests("def test_plain():\n    assert False")
    result = suite.run("--temporal-report", "reports")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*- Temporal -*")
    assert not (suite.path / "reports").exists()


@pytest.mark.parametrize("option", ["--tb=short", "--tb=native", "--tb=line", "--tb=no"])
def test_styles_of_tracebacks(suite: Suite, option: str) -> None:
    """Pytest's own traceback styles work."""
    suite.tests("async def test_unused():\n    pass\n\ndef test_wrong(temporal):\n    temporal.execute('Nobody')")
    result = suite.run(option, "--temporal-timeout", "0.2", "-k", "wrong")
    result.assert_outcomes(failed=1, deselected=1)


def test_a_full_database(own_suite: Suite) -> None:
    """On a full server, the report names the cause of calls that do not return, also in tests that come after, and of a
    test that gets no namespace."""
    own_suite.tests(
        WORKFLOWS
        + """
from temporaltest import WaitTimeout


@workflow.defn
class Large:
    @workflow.run
    async def run(self, data: str) -> None:
        pass


def test_fills(temporal):
    for size in (1_500_000, 100_000, 6_000):
        with pytest.raises(WaitTimeout):
            for _ in range(20):
                temporal.start(Large.run, "x" * size)
    assert False, "it is full"


def test_next(temporal):
    temporal.worker(workflows=[Order], activities=[charge])
    for _ in range(20):
        temporal.execute(Order.run, 5)


@pytest.mark.parametrize("number", range(60))
def test_setup(temporal, number):  # until a new namespace needs more room
    pass
"""
    )
    result = own_suite.run(
        "--temporal-ephemeral-size=16MiB", "--temporal-timeout=1", "--temporal-replay=off", "--maxfail=4"
    )
    lines = ["the database of the server is full: * of 16.8 MB used, * left", "  hint: *temporal-ephemeral-size)"]
    result.stdout.fnmatch_lines(["*ERROR at setup of test_setup*", *lines, "*_ test_fills _*", *lines])
    result.stdout.fnmatch_lines(["*_ test_next _*", *lines])
