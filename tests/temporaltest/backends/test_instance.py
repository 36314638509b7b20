"""`--temporal-instance`: the tests run on a devserver instance that is up already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from tests.helpers.pytest_process import TALK, reports
from tests.helpers.waiting import eventually
from tests.temporaltest.backends.test_external import namespaces_of
from tests.temporaltest.conftest import SLEEPS, TWO, Suite, module_home, within
from tests.temporaltest.isolation.test_session import GREET

NAME = "shop"

USES = """
@pytest.mark.parametrize("n", range(2))
def test_uses(temporal, n):
    greet(temporal)
    report(address=temporal.address, namespace=temporal.namespace)
"""


@pytest.fixture(scope="module")
def server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A running instance, as `devserver up --name shop` starts it."""
    with module_home(prepared, tmp_path_factory) as home:
        with within(home):
            server = DevServer.start(NAME, port=0, ui=True, ephemeral=True)
        with server:
            yield server


@pytest.fixture
def suite(bare_suite: Suite, server: DevServer, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite in the home of the instance."""
    home = server.log.parents[3]
    monkeypatch.setenv("DEVSERVER_HOME", str(home))
    return bare_suite


def test_namespaces_stay_in_the_web_ui_with_keep(suite: Suite, server: DevServer) -> None:
    """Tests run on the instance, which runs on; with `--temporal-keep` what they did stays, else it is deleted."""
    suite.tests(f"{TALK}\n{GREET}\n{USES}\n{SLEEPS}")
    before = namespaces_of(server)
    suite.passes("--temporal-instance", NAME, passed=3, ways=TWO)
    assert {one["address"] for one in reports(suite.path)} == {server.address}
    assert eventually(lambda: namespaces_of(server) == before)

    result = suite.passes("--temporal-instance", NAME, "--temporal-keep=on", passed=3)
    result.stdout.fnmatch_lines([f"temporal: instance {NAME},*", f"*{server.ui_url}*"])
    kept = set(namespaces_of(server)) - set(before)
    assert len(kept) == 3
    (namespace,) = [name for name in kept if name.startswith("test-uses-0")]

    async def count() -> int:
        client = await Client.connect(server.address, namespace=namespace)
        return (await client.count_workflows("ExecutionStatus = 'Completed'")).count

    assert asyncio.run(count()) == 1
    assert server.running


def test_an_instance_that_cannot_be_used(suite: Suite, server: DevServer) -> None:
    """The error names the instances there are, or how to start the one that is down."""
    suite.tests(f"{TALK}\n{GREET}\n{USES}")
    result = suite.run("--temporal-instance=shoq", "-k", "0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--temporal-instance shoq: there is no instance shoq", f"*instances: *{NAME}*"])

    with DevServer.start("down", port=0, ui=False, ephemeral=True):
        pass
    result = suite.run("--temporal-instance=down", "-k", "0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--temporal-instance down: *", "*devserver up --name down*"])

    result = suite.run("--temporal-instance", NAME, "--temporal-dynamic-config=a.b=1", "-k", "0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*--temporal-dynamic-config has no effect on the instance {NAME}*"])
