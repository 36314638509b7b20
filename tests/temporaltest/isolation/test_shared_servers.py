"""A server that has served many tests is replaced by a new one, without a test that waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from devserver.instances.dev_server import DevServer
from tests.conftest import ephemeral_folders_of, processes_of
from tests.helpers.pytest_process import TALK, reports, running
from tests.helpers.waiting import eventually
from tests.temporaltest.conftest import ALONE, TWO, Suite

LIMIT = "--temporal-namespaces-per-server=2"

USING = """
from temporaltest import factories

@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"

def use(temporal):
    endpoint, servers = temporal._case.endpoint, temporal._case.session.servers
    report(server=endpoint.managed.pid, name=endpoint.managed.name, namespace=temporal.namespace)
    deadline = time.monotonic() + 100
    while servers._successor is not None and not servers._successor.done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
"""

MANY = """
@pytest.mark.parametrize("n", range({count}))
def test_uses(temporal, n):
    use(temporal)
"""

LASTING = """
lasting = factories.temporal(scope="session")

@pytest.mark.parametrize("n", range(8))
def test_uses(lasting, temporal, n):
    use(temporal)
    lasting.worker(workflows=[Greet]) if n == 0 else None
    if n in (0, 7):
        assert lasting.execute(Greet.run, "Ada", id=f"greet-{n}") == "Hello, Ada"
        report(lasting=lasting._case.endpoint.managed.pid, namespace=lasting.namespace)
"""


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own servers."""
    return own_suite


def write(suite: Suite, text: str) -> None:
    """Write a module of tests that report the server they use."""
    suite.tests(f"{TALK}\n{USING}\n{text}")


def used(suite: Suite) -> list[dict[str, Any]]:
    """Return what the tests have reported about their servers, in order."""
    return [report for report in reports(suite.path) if "server" in report]


def nothing_left(home: Path) -> bool:
    """Return whether no process and no folder in memory is left."""
    return not processes_of(home) and not ephemeral_folders_of(home)


def servers_in(home: Path) -> list[psutil.Process]:
    """Return the servers that run in this home."""
    return [process for process in processes_of(home) if process.name() == "temporal"]


def test_server_is_replaced(suite: Suite, home: Path) -> None:
    """After the set number of tests the next ones have a new server and the old one ends, unless a session's fixture
    has a namespace on it: that stays there and works.
    """
    write(suite, LASTING)
    suite.passes(LIMIT, passed=8)
    found = [report["server"] for report in used(suite)]
    assert found == sorted(found, key=found.index)
    assert [found.count(server) for server in dict.fromkeys(found)] == [2, 3, 3], "one while the next server starts"
    assert len({report["lasting"] for report in reports(suite.path) if "lasting" in report}) == 1
    assert len({report["namespace"] for report in reports(suite.path)}) == 9
    assert nothing_left(home)


def test_xdist_workers_change_to_the_same_server(suite: Suite, home: Path) -> None:
    """With two workers the tests of both count, and both change to one new server."""
    write(suite, MANY.format(count=10))
    suite.passes(LIMIT.replace("2", "4"), passed=10, ways=TWO)
    assert len({report["server"] for report in used(suite)}) == 2
    assert nothing_left(home)


def test_lingering_server_is_the_new_one(suite: Suite, home: Path) -> None:
    """Only a server with room lingers, and the next run uses it; a used one ends at once."""
    write(suite, MANY.format(count=5))
    limit = ("--temporal-namespaces-per-server=3", "--temporal-linger=600")
    suite.passes(*limit, passed=5)
    (left,) = servers_in(home)
    assert [report["server"] for report in used(suite)].count(left.pid) == 1
    suite.passes(*limit, "-k", "uses[0]", passed=1)
    assert used(suite)[-1]["server"] == left.pid
    DevServer.attach(used(suite)[-1]["name"]).stop()
    assert eventually(lambda: nothing_left(home))


@pytest.mark.parametrize("setting", ["temporal_server", "--temporal-keep=on"])
def test_server_that_is_known_stays(setting: str, suite: Suite, home: Path) -> None:
    """A test that knows the server's address and `--temporal-keep` keep one server for all tests."""
    text = MANY.format(count=6)
    write(suite, text.replace("(temporal,", "(temporal_server, temporal,") if setting == "temporal_server" else text)
    suite.passes(LIMIT, *([setting] if setting != "temporal_server" else []), passed=6)
    assert len({report["server"] for report in used(suite)}) == 1
    if "keep" in setting:
        DevServer.attach(used(suite)[0]["name"]).stop()
    assert eventually(lambda: nothing_left(home))


@pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])
def test_killed_run_leaves_no_server(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """kill -9 of pytest while several servers run ends all of them."""
    write(suite, LASTING + "\n\ndef test_waits(temporal):\n    report(waits=True)\n    wait_for('go')\n")
    with running(suite, LIMIT, ways=ways) as run:
        eventually(lambda: any("waits" in report for report in run.reports()))
        assert len(servers_in(home)) >= 2
        run.kill()
        assert eventually(lambda: nothing_left(home))


BROKEN = """
from devserver import DevServer, DevServerError

start, starts = DevServer.start, []

def broken(name=None, **options):
    starts.append(name)
    if {condition}:
        raise DevServerError("the disk is on fire")
    return start(name, **options)

DevServer.start = broken
"""


def test_first_start_is_tried_again(suite: Suite, home: Path) -> None:
    """A start that fails fails one test with its cause; the next test starts the server again."""
    suite.file("conftest.py", BROKEN.format(condition="len(starts) == 1"))
    write(suite, MANY.format(count=3))
    result = suite.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the disk is on fire*"])
    assert nothing_left(home)


def test_successor_that_does_not_start(suite: Suite, home: Path) -> None:
    """If no new server starts, the tests use the old one further."""
    suite.file("conftest.py", BROKEN.format(condition="len(starts) > 1"))
    write(suite, MANY.format(count=6))
    suite.passes(LIMIT, passed=6)
    assert len({report["server"] for report in used(suite)}) == 1
    assert nothing_left(home)
