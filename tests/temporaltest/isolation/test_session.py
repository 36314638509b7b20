"""One server for all runs that need it, for as long as one of them runs, however it ends."""

from __future__ import annotations

import textwrap
from pathlib import Path

import psutil
import pytest

from devserver.instances.dev_server import DevServer
from tests.conftest import ephemeral_folders_of, processes_of
from tests.helpers.pytest_process import TALK, reports, running
from tests.helpers.waiting import eventually
from tests.temporaltest.conftest import ALONE, TWO, WAYS, Suite

GREET = """
@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


def greet(temporal):
    temporal.worker(workflows=[Greet])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""

WAITING = """
@pytest.mark.parametrize("n", range({count}))
def test_waits(temporal, n):
    greet(temporal)
    report(address=temporal.address)
    wait_for("go")
"""

BOTH = pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


def write(suite: Suite, text: str) -> None:
    """Write a module of tests that can greet, report to this test and wait."""
    suite.tests(f"{TALK}\n{GREET}\n{textwrap.dedent(text)}")


def write_waiting(suite: Suite, count: int) -> None:
    """Write this many tests that use the server, report its address and wait for `go`."""
    write(suite, WAITING.format(count=count))


def servers(home: Path) -> list[psutil.Process]:
    """Return the servers in this test's home."""
    return [process for process in processes_of(home) if process.name() == "temporal"]


def nothing_left(home: Path) -> bool:
    """Return whether no process and no folder in memory is left."""
    return not processes_of(home) and not ephemeral_folders_of(home)


def addresses(suite: Suite) -> set[str]:
    """Return the addresses that the suite's tests reported."""
    return {str(report["address"]) for report in reports(suite.path)}


# One server


USING = """
@pytest.mark.parametrize("n", range(3))
def test_uses(temporal, n):
    greet(temporal)
    report(address=temporal.address, namespace=temporal.namespace)
"""


@pytest.mark.parametrize(
    "ways",
    [*WAYS.values(), ("-n", "2", "--dist=loadgroup"), ("-n", "2", "--dist=loadscope"), ("-n", "2", "--dist=each")],
    ids=" ".join,
)
def test_one_server_for_a_run(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """However xdist distributes the tests, they use one server, each in its own namespace, and it stops afterwards."""
    write(suite, USING)
    count = 6 if "--dist=each" in ways else 3
    suite.passes(passed=count, ways=ways)
    assert len(addresses(suite)) == 1
    assert len({report["namespace"] for report in reports(suite.path)}) == count
    assert nothing_left(home)


def test_two_runs_share_a_server(suite: Suite, home: Path) -> None:
    """Two simultaneous runs of pytest use one server; when one ends, the other continues with it."""
    write_waiting(suite, 1)
    with running(suite) as one, running(suite, ways=TWO) as other:
        assert len({report["address"] for report in one.reports(2)}) == 1
        assert len(servers(home)) == 1
        one.release("go")
        assert "1 passed" in one.output()
        assert "1 passed" in other.output()
    assert eventually(lambda: nothing_left(home))


def test_runs_with_other_settings_have_another_server(suite: Suite, home: Path) -> None:
    """A simultaneous run with another tuning gets a server with that tuning."""
    write_waiting(suite, 1)
    with running(suite) as one, running(suite, "--temporal-tuning=stock") as other:
        assert len({report["address"] for report in one.reports(2)}) == 2
        one.release("go")
        assert "1 passed" in one.output()
        assert "1 passed" in other.output()


def test_private_server(every_way: Suite, home: Path) -> None:
    """A test that requires a private server has it alone, and it stops after the test."""
    write(
        every_way,
        """
        @pytest.mark.temporal(private_server=True)
        def test_private(temporal):
            greet(temporal)
            report(address=temporal.address)

        def test_shared(temporal):
            greet(temporal)
            report(address=temporal.address)
        """,
    )
    every_way.passes(passed=2)
    assert len(addresses(every_way)) == 2
    assert nothing_left(home)


def test_private_servers_start_no_shared_one(suite: Suite, home: Path) -> None:
    """If every test has a private server, no shared one starts, and each stops before the next test."""
    write(
        suite,
        """
        from devserver import Paths

        def instances():
            return [each.name for each in Paths.default().instances.glob("*/") if each.is_dir()]

        @pytest.mark.temporal(private_server=True)
        @pytest.mark.parametrize("n", range(2))
        def test_private(temporal, n):
            greet(temporal)
            assert len(instances()) == 1
        """,
    )
    suite.passes(passed=2)


# Kills and interrupts


@BOTH
def test_killed_run_leaves_no_server(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """kill -9 of pytest (with xdist: of the controller) ends the server and the workers."""
    write_waiting(suite, 2)
    with running(suite, ways=ways) as run:
        run.reports()
        run.kill()
        assert eventually(lambda: nothing_left(home), 60)


@BOTH
def test_interrupted_run_leaves_no_server(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """Ctrl-C in a test ends the run and the server at once."""
    write_waiting(suite, 2)
    with running(suite, ways=ways, fresh=True) as run:
        run.reports()
        run.interrupt()
        output = run.output()
        assert "KeyboardInterrupt" in output
        assert "INTERNALERROR" not in output
        assert eventually(lambda: nothing_left(home))


def test_interrupted_start_leaves_no_server(suite: Suite, home: Path) -> None:
    """Ctrl-C while the server is starting leaves nothing."""
    write_waiting(suite, 1)
    with running(suite) as run:
        eventually(lambda: processes_of(home)[1:] or reports(suite.path))
        run.interrupt()
        run.output()
        assert eventually(lambda: nothing_left(home))


def test_killed_worker_is_replaced(suite: Suite, home: Path) -> None:
    """After kill -9 of an xdist worker, the other one and its replacement continue with the same server."""
    write_waiting(suite, 12)
    with running(suite, ways=TWO) as run:
        victim = run.reports(2)[0]["pid"]
        psutil.Process(victim).kill()
        run.reports(3)
        run.release("go")
        output = run.output()
    assert "1 failed, 11 passed" in output
    assert "crashed while running" in output
    assert len(addresses(suite)) == 1
    assert eventually(lambda: nothing_left(home))


@pytest.mark.parametrize("ways", [("-n", "1"), TWO], ids=" ".join)
def test_crash_of_a_worker_is_one_failure(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """A test that exits its process is the only one that fails: the tests after it have a server."""
    write(
        suite,
        """
        @pytest.mark.parametrize("n", range(4))
        def test_crashes(temporal, n):
            greet(temporal)
            if n == 1:
                os._exit(3)
        """,
    )
    result = suite.run(ways=ways)
    result.assert_outcomes(passed=3, failed=1)
    assert eventually(lambda: nothing_left(home))


# Killed servers


KILLING = """
from devserver import DevServer, Paths

def server_of(temporal):
    return temporal._case.endpoint.managed
"""


def test_killed_server_fails_only_the_running_test(suite: Suite, home: Path) -> None:
    """The running test fails at once with the cause; the next ones have a new server."""
    write(
        suite,
        KILLING
        + """
@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(600)

def test_before(temporal):
    greet(temporal)
    report(address=temporal.address, server=server_of(temporal).pid)

def test_hit(temporal):
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    server_of(temporal).kill()
    temporal.run(handle.result())

def test_stopped(temporal):
    DevServer.attach(server_of(temporal).name).stop()
    temporal.run(asyncio.sleep(600))

@pytest.mark.parametrize("n", range(3))
def test_after(temporal, n):
    greet(temporal)
    report(address=temporal.address, server=server_of(temporal).pid)
""",
    )
    result = suite.run("--temporal-timeout=60")
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.re_match_lines(
        [r"E .*the Temporal server at 127\.0\.0\.1:\d+ was killed by signal 9 while the test ran"]
    )
    stopped = r"E .*:\d+ was stopped by devserver down or a signal to its supervisor while the test ran"
    result.stdout.re_match_lines([stopped])
    assert len({report["server"] for report in reports(suite.path)}) == 2
    assert eventually(lambda: nothing_left(home))


def test_killed_server_between_tests(suite: Suite, home: Path) -> None:
    """A server that is killed between two tests does not fail the next one."""
    write(
        suite,
        KILLING
        + """
@pytest.fixture(autouse=True)
def kills(request):
    yield
    for record in Paths.default().instances.glob("pytest-*/record.json"):
        DevServer.attach(record.parent.name).kill()

@pytest.mark.parametrize("n", range(3))
def test_after(temporal, n):
    greet(temporal)
    report(address=temporal.address, server=server_of(temporal).pid)
""",
    )
    suite.passes(passed=3)
    assert len({report["server"] for report in reports(suite.path)}) == 3
    assert eventually(lambda: nothing_left(home))


def test_killed_server_under_xdist(suite: Suite, home: Path) -> None:
    """The running tests of both workers fail with the cause, and the next ones share one new server."""
    for name in ("one", "other"):
        text = f"""{TALK}
{GREET}
{KILLING}
def test_hit(temporal):
    greet(temporal)
    report(phase="hit", server=server_of(temporal).pid)
    wait_for("{name}")
    temporal.run(asyncio.sleep(600))

@pytest.mark.parametrize("n", range(2))
def test_after(temporal, n):
    greet(temporal)
    report(phase="after", server=server_of(temporal).pid)
    wait_for("end")
"""
        suite.tests(text, f"test_{name}.py")
    with running(suite, "--temporal-timeout=60", "--dist=loadfile", ways=TWO) as run:
        (server,) = {report["server"] for report in run.reports(2)}
        psutil.Process(server).kill()
        run.release("one")
        run.reports(3)  # a new server runs, and the other worker does not know yet
        run.release("other")
        run.reports(4)
        run.release("end")
        output = run.output()
    assert "2 failed, 4 passed" in output
    assert output.count("was killed by signal 9 while the test ran") >= 1
    assert output.count("ended (another one runs in its place) while the test ran") >= 1
    (new,) = {report["server"] for report in reports(suite.path) if report["phase"] == "after"}
    assert new != server
    assert eventually(lambda: nothing_left(home))


# Linger and keep


def test_lingering_server_is_reused(suite: Suite, home: Path) -> None:
    """A server that stays warm is used by the next run, with new namespaces."""
    write(suite, USING)
    suite.passes("--temporal-linger=600", passed=3)
    (first,) = servers(home)
    suite.passes("--temporal-linger=600", passed=3, ways=TWO)
    assert [server.pid for server in servers(home)] == [first.pid]
    assert len(addresses(suite)) == 1
    assert len({report["namespace"] for report in reports(suite.path)}) == 6
    _stop(suite)


def test_lingering_server_stops(suite: Suite, home: Path) -> None:
    """A server that no run joins in time stops by itself."""
    write(suite, USING)
    suite.passes("--temporal-linger=0.5", passed=3)
    assert eventually(lambda: nothing_left(home))


@BOTH
def test_keep(ways: tuple[str, ...], suite: Suite, home: Path) -> None:
    """With `--temporal-keep` server and workflows stay, and the end of the run says where the server is and how to
    stop it."""
    write(
        suite,
        """
        @workflow.defn
        class Waits:
            @workflow.run
            async def run(self) -> None:
                await asyncio.sleep(600)

        def test_leaves(temporal):
            temporal.start(Waits.run)
            report(address=temporal.address, namespace=temporal.namespace)
        """,
    )
    result = suite.passes("--temporal-keep=on", passed=1, ways=ways)
    (left,) = reports(suite.path)
    assert _open_workflows(left["address"], left["namespace"]) == ["waits-1"]
    result.stdout.fnmatch_lines(
        [f"the server is still running at http://* (gRPC {left['address']}); stop it with: devserver down*"]
    )
    _stop(suite)
    assert eventually(lambda: nothing_left(home))


def _open_workflows(address: str, namespace: str) -> list[str]:
    import asyncio

    from temporalio.client import Client

    async def look() -> list[str]:
        client = await Client.connect(address, namespace=namespace)
        return [execution.id async for execution in client.list_workflows("ExecutionStatus = 'Running'")]

    return asyncio.run(look())


def _stop(suite: Suite) -> None:
    from devserver.system.paths import Paths

    for record in Paths.default().instances.glob("pytest-*/record.json"):
        DevServer.attach(record.parent.name).stop()


# No executable


@BOTH
def test_no_executable_is_one_error_per_test(
    ways: tuple[str, ...], bare_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an executable and without a network every test fails with one error; one start is tried again."""
    bare_suite.ini("temporal_version = 1.9.1")
    tests = "@pytest.mark.parametrize('n', range(40))\ndef test_needs(temporal, n):\n    pass\n"
    bare_suite.tests(tests)
    bare_suite.file(
        "conftest.py",
        """
        from devserver import DevServer

        start = DevServer.start

        def counted(*args, **options):
            with open("starts", "a") as file:
                file.write("x")
            return start(*args, **options)

        DevServer.start = counted
        """,
    )
    monkeypatch.setenv("DEVSERVER_OFFLINE", "1")
    monkeypatch.setenv("DEVSERVER_SOURCE", "release")
    result = bare_suite.run(ways=ways)
    result.assert_outcomes(errors=40)
    assert len((bare_suite.path / "starts").read_text()) == (2 if ways == ALONE else 4)
    output = result.stdout.str()
    assert "hint: " in output
    assert "During handling" not in output
    assert "Traceback" not in output


STARTS_LATER = """#!/bin/sh
if [ "$1" = server ] && [ ! -e {mark} ]; then touch {mark}; echo "too busy"; exit 1; fi
exec {temporal} "$@"
"""


def test_a_start_that_fails_is_tried_again(
    own_suite: Suite, real_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not come up the first time costs no test."""
    program = tmp_path / "temporal"
    program.write_text(STARTS_LATER.format(mark=tmp_path / "tried", temporal=real_binary))
    program.chmod(0o755)
    monkeypatch.setenv("DEVSERVER_BINARY", str(program))
    own_suite.tests("def test_it(temporal):\n    pass\n")
    own_suite.passes(passed=1)
    assert (tmp_path / "tried").exists()
