"""The external backend, on a server started elsewhere: addresses, profiles, TLS, API keys, shared namespaces."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import ListNamespacesRequest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from tests.conftest import processes_of
from tests.helpers.marked_secrets import files_with_the_mark
from tests.helpers.pytest_process import TALK, reports, running
from tests.helpers.tls_proxy import NAME, Certificates, make_certificates, tls_proxy
from tests.helpers.waiting import eventually
from tests.temporaltest.conftest import ALONE, SLEEPS, TWO, Suite, module_home, within
from tests.temporaltest.isolation.test_session import GREET

SECRET = "key-that-nobody-may-see"
BOTH = pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])

USING = """
@pytest.mark.parametrize("n", range(2))
def test_uses(temporal, n):
    greet(temporal)
    report(address=temporal.address, namespace=temporal.namespace, queue=temporal.task_queue)
"""

# A server that refuses new namespaces, like a cloud: the real server cannot, so its answer is mocked.
REFUSING = """
from temporalio.service import RPCError, RPCStatusCode
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
import temporalio.client
from temporalio.bridge.services_generated import WorkflowService

async def refuse(*args, **options):
    with open("asked", "a") as file:
        file.write("x")
    raise RPCError("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED, b"")

WorkflowService.register_namespace = refuse
"""


def start() -> DevServer:
    """Start a server with a namespace for all tests."""
    return DevServer.start(ui=False, namespaces=["ours"], search_attributes={"Customer": "Keyword"})


@pytest.fixture(scope="module")
def server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A running server for all tests of the module, which must not break it."""
    with module_home(prepared, tmp_path_factory) as home:
        with within(home):
            server = start()
        with server:
            yield server


@pytest.fixture
def own_server(installed: Executable) -> Iterator[DevServer]:
    """A running server for one test, which may break it."""
    with start() as server:
        yield server


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Certificates of a new CA."""
    return make_certificates(tmp_path / "certificates")


def write(suite: Suite, text: str = USING) -> None:
    """Write a module of tests that can greet, report to this test and wait."""
    suite.tests(f"{TALK}\n{GREET}\n{textwrap.dedent(text)}")


def namespaces_of(server: DevServer) -> list[str]:
    """Return the server's namespaces except temporal-system."""

    async def look() -> list[str]:
        client = await Client.connect(server.address)
        found = await client.workflow_service.list_namespaces(ListNamespacesRequest(page_size=1000))
        return sorted(namespace.namespace_info.name for namespace in found.namespaces)

    return [name for name in asyncio.run(look()) if name != "temporal-system"]


@BOTH
def test_same_tests_run_on_an_external_server(
    ways: tuple[str, ...], own_server: DevServer, bare_suite: Suite, home: Path
) -> None:
    """Tests run unchanged in namespaces that are created for them and deleted; no other server is started."""
    before = {process.pid for process in processes_of(home)}
    write(bare_suite)
    bare_suite.passes("--temporal-address", own_server.address, passed=2, ways=ways)
    assert {report["address"] for report in reports(bare_suite.path)} == {own_server.address}
    assert len({report["namespace"] for report in reports(bare_suite.path)}) == 2
    assert eventually(lambda: namespaces_of(own_server) == ["default", "ours"])
    assert {process.pid for process in processes_of(home)} == before
    assert own_server.running


# Connection


def test_address_from_the_environment(server: DevServer, bare_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the external backend, the SDK's own variables select the server."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    write(bare_suite)
    bare_suite.passes("--temporal-backend=external", passed=2)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_client_profile(how: str, server: DevServer, bare_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of the SDK's configuration file selects the server."""
    file = bare_suite.file("temporal.toml", f'[profile.staging]\naddress = "{server.address}"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    write(bare_suite)
    if how == "option":
        bare_suite.passes("--temporal-client-profile=staging", passed=2)
    else:
        monkeypatch.setenv("TEMPORAL_PROFILE", "staging")
        bare_suite.passes("--temporal-backend=external", passed=2, ways=TWO)


def test_stored_profile_is_not_mixed_with_an_address(
    server: DevServer, bare_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API key and TLS of a stored profile are not used for an address that was given for this run."""
    text = f'[profile.default]\naddress = "cloud.test:7233"\napi_key = "{SECRET}"\n[profile.default.tls]\n'
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(bare_suite.file("temporal.toml", text)))
    write(bare_suite)
    bare_suite.passes("--temporal-address", server.address, passed=2)


@BOTH
def test_tls(ways: tuple[str, ...], server: DevServer, bare_suite: Suite, certificates: Certificates) -> None:
    """A server behind TLS is reached with its CA certificate and server name."""
    write(bare_suite)
    with tls_proxy(server.address, certificates) as address:
        ca = ("--temporal-tls-server-ca-cert-path", certificates.path("ca.pem"))
        bare_suite.passes("--temporal-address", address, *ca, "--temporal-tls-server-name", NAME, passed=2, ways=ways)


def test_tls_with_client_certificate(
    server: DevServer, bare_suite: Suite, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client certificate is used; options and the SDK's variables can be combined."""
    write(bare_suite)
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", certificates.path("ca.pem"))
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_NAME", NAME)
    own = [f"--temporal-tls-client-cert-path={certificates.path('client.pem')}"]
    own += [f"--temporal-tls-client-key-path={certificates.path('client.key')}"]
    with tls_proxy(server.address, certificates, clients=True) as address:
        bare_suite.passes("--temporal-address", address, *own, passed=2)
        result = bare_suite.run("--temporal-address", address)
        result.assert_outcomes(errors=2)
        assert (
            f"the external Temporal server at {address} cannot be used: it closes the connection" in result.stdout.str()
        )


def test_api_key_uses_tls_and_is_not_shown(
    server: DevServer, bare_suite: Suite, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API key turns on TLS, as in the SDK; no output, report or file of passed or failed tests shows it."""
    write(bare_suite, f"{USING}\ndef test_fails(temporal):\n    greet(temporal)\n    assert temporal is None\n")
    monkeypatch.setenv("TEMPORAL_API_KEY", SECRET)
    shown = ("-l", "-vv", "--tb=long", "-rA", "--full-trace", "--junit-xml=report.xml", "--temporal-report=reports")
    ca = ("--temporal-tls-server-ca-cert-path", certificates.path("ca.pem"), "--temporal-tls-server-name", NAME)
    with tls_proxy(server.address, certificates) as address:
        result = bare_suite.run("--temporal-address", address, *ca, *shown)
    result.assert_outcomes(passed=2, failed=1)
    assert SECRET not in result.stdout.str() + result.stderr.str()
    assert len(list((bare_suite.path / "reports").iterdir())) == 2
    assert files_with_the_mark(bare_suite.path, SECRET) == []


# Unreachable servers


def _one_error(suite: Suite, *args: str) -> str:
    suite.tests("@pytest.mark.parametrize('n', range(50))\ndef test_needs(temporal, n):\n    pass\n")
    result = suite.run(*args)
    result.assert_outcomes(errors=50)
    output = result.stdout.str()
    assert "Traceback" not in output
    assert "During handling" not in output
    return output


def test_unreachable_server(bare_suite: Suite) -> None:
    """Every test fails once, with the address and what to check."""
    output = _one_error(bare_suite, "--temporal-address=127.0.0.1:1")
    assert "the external Temporal server at 127.0.0.1:1 cannot be used: Connection refused" in output
    assert "check the address, and that the server is running" in output


LOSING = """
def test_hit(temporal):
    greet(temporal)
    report(address=temporal.address)
    temporal.run(asyncio.sleep(600))

def test_after(temporal):
    greet(temporal)

def test_last(temporal):
    greet(temporal)
"""


def test_server_that_dies(own_server: DevServer, bare_suite: Suite) -> None:
    """The running test fails with that cause, and so do the next ones, without waiting for their limits."""
    write(bare_suite, LOSING)
    with running(bare_suite, "--temporal-timeout=300", "--temporal-address", own_server.address) as run:
        run.reports()
        own_server.kill()
        output = run.output()
    assert "1 failed, 2 errors" in output
    assert f"ServerLost: the Temporal server at {own_server.address} no longer accepts connections: check" in output
    assert output.count(f"the external Temporal server at {own_server.address} cannot be used: Connection refused") >= 2


def test_server_that_comes_back(own_server: DevServer, bare_suite: Suite) -> None:
    """A long outage fails the test that needs the server; tests after it run."""
    write(bare_suite, LOSING)
    bare_suite.file("conftest.py", "import time\nfrom pathlib import Path\nimport pytest\n" + BACK)
    with running(bare_suite, "--temporal-timeout=300", "--temporal-address", own_server.address) as run:
        run.reports()
        own_server.kill()
        eventually((bare_suite.path / "over").exists, 60)
        own_server.restart()
        run.release("go")
        output = run.output()
    assert "1 failed, 2 passed" in output


# The next test starts when the server is back.
BACK = """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if item.name == "test_after":
        Path("over").touch()
        while not Path("go").exists():
            time.sleep(0.01)
"""


# Further calls to a frozen server time out sooner.
IMPATIENT = """
import temporalio.client
from temporaltest.isolation import context, post_test_checks
from temporaltest.workers import wait_guard

post_test_checks.REPORT_SECONDS = context.CLEAN_SECONDS = wait_guard.DESCRIBE_SECONDS = 1.0
"""


def test_frozen_server(own_server: DevServer, bare_suite: Suite) -> None:
    """An unresponsive server is named as the cause in the test that waits for it, and in the next one."""
    write(bare_suite, LOSING)
    bare_suite.file("conftest.py", IMPATIENT)
    chosen = ("-k", "hit or after", "--temporal-timeout=3", "--temporal-address", own_server.address)
    with running(bare_suite, *chosen) as run:
        run.reports()
        own_server.freeze()
        try:
            output = run.output()
        finally:
            own_server.thaw()
    assert "1 failed" in output
    assert "2 errors" in output
    assert "WaitTimeout: waited more than 3 s" in output
    assert "none of its activities or workflows runs, so the server may not answer" in output
    assert f"the Temporal server at {own_server.address} does not answer" in output


def test_server_restart(own_server: DevServer, bare_suite: Suite) -> None:
    """A restart of the usual length fails no test."""
    write(
        bare_suite,
        """
def test_hit(temporal):
    report(address=temporal.address)
    wait_for("go")
    greet(temporal)
""",
    )
    with running(bare_suite, "--temporal-address", own_server.address) as run:
        run.reports()
        own_server.restart()
        run.release("go")
        assert "1 passed" in run.output()


def test_certificate_of_another_ca(server: DevServer, bare_suite: Suite, certificates: Certificates) -> None:
    """The error says that the certificate is not signed by the CA."""
    with tls_proxy(server.address, certificates) as address:
        ca = ("--temporal-tls-server-ca-cert-path", certificates.path("other-ca.pem"))
        output = _one_error(bare_suite, "--temporal-address", address, *ca, "--temporal-tls-server-name", NAME)
    assert "cannot be used: this client does not trust the issuer of its certificate" in output


def test_no_address(bare_suite: Suite) -> None:
    """The error lists the ways to set an address."""
    output = _one_error(bare_suite, "--temporal-backend=external")
    assert "no address of an external server: use --temporal-address host:port, or --temporal-client-profile" in output


def test_unknown_profile(bare_suite: Suite) -> None:
    """The error names the profile."""
    assert "Profile 'nowhere' not found" in _one_error(bare_suite, "--temporal-client-profile=nowhere")


def test_missing_certificate(bare_suite: Suite) -> None:
    """The error names the file."""
    args = ("--temporal-address=127.0.0.1:1", "--temporal-tls-server-ca-cert-path=missing.pem")
    assert "missing.pem" in _one_error(bare_suite, *args)


def test_unknown_namespace(server: DevServer, bare_suite: Suite) -> None:
    """The error names the namespace of `--temporal-namespace`."""
    args = ("--temporal-address", server.address, "--temporal-namespace=nowhere")
    assert f"the namespace nowhere of {server.address} cannot be used" in _one_error(bare_suite, *args)


# A shared namespace


def test_tests_in_a_shared_namespace_are_separate(own_server: DevServer, bare_suite: Suite) -> None:
    """With `--temporal-namespace`, simultaneous tests have their own workflow ids and task queues."""
    write(
        bare_suite,
        """
        @pytest.mark.parametrize("n", range(2))
        def test_meets(temporal, n):
            temporal.worker(workflows=[Greet])
            handle = temporal.start(Greet.run, str(n))
            report(id=handle.id, queue=temporal.task_queue, namespace=temporal.namespace)
            wait_for("go")
            assert temporal.run(handle.result()) == f"Hello, {n}"
        """,
    )
    args = ("--temporal-address", own_server.address, "--temporal-namespace=ours")
    with running(bare_suite, *args, ways=TWO) as run:
        both = run.reports(2)
        run.release("go")
        assert "2 passed" in run.output()
    assert {report["namespace"] for report in both} == {"ours"}
    assert len({report["id"] for report in both}) == 2
    assert len({report["queue"] for report in both}) == 2
    assert namespaces_of(own_server) == ["default", "ours"]


def test_a_deployed_worker_may_still_come(own_server: DevServer, bare_suite: Suite) -> None:
    """In a shared namespace, a task queue without workers is no mistake before the limit: its workers may restart."""
    write(
        bare_suite,
        """
        def test_waits(temporal):
            temporal.worker(workflows=[Greet])
            temporal.execute(Greet.run, "Ada", task_queue="deployed")
        """,
    )
    args = ("--temporal-address", own_server.address, "--temporal-namespace=ours", "--temporal-timeout=3")
    result = bare_suite.run(*args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *WaitTimeout: waited more than 3 s for *"])


def test_report_and_replay_cover_only_the_test(server: DevServer, bare_suite: Suite) -> None:
    """In a shared namespace, workflows of others are not replayed, reported or terminated."""
    write(
        bare_suite,
        """
        @workflow.defn(name="Same")
        class Waits:
            @workflow.run
            async def run(self) -> str:
                await asyncio.sleep(600)

        @workflow.defn(name="Same")
        class Ends:
            @workflow.run
            async def run(self) -> str:
                return "done"

        from temporalio.client import Client

        def test_others(temporal):
            async def start():
                client = await Client.connect(temporal.address, namespace="ours")
                await client.start_workflow("Same", id="others", task_queue="others")

            asyncio.run(start())

        def test_leaves(temporal):
            temporal.worker(workflows=[Waits])
            temporal.start(Waits.run)

        def test_ends(temporal):
            temporal.worker(workflows=[Ends])
            assert temporal.execute(Ends.run) == "done"

        def test_fails(temporal):
            temporal.worker(workflows=[Ends])
            temporal.execute(Ends.run)
            assert False
        """,
    )
    result = bare_suite.run("--temporal-address", server.address, "--temporal-namespace=ours")
    result.assert_outcomes(passed=3, failed=1)
    output = result.stdout.str()
    assert output.count("(Same): completed") == 1
    assert "waits-1" not in output
    assert _open_workflows(server) == ["others"]


def _open_workflows(server: DevServer) -> list[str]:
    async def look() -> list[str]:
        client = await Client.connect(server.address, namespace="ours")
        return [execution.id async for execution in client.list_workflows("ExecutionStatus = 'Running'")]

    return eventually(lambda: [ids for ids in [asyncio.run(look())] if len(ids) < 2])[0]


def test_requirements_in_a_shared_namespace(server: DevServer, bare_suite: Suite) -> None:
    """A test may require what the shared namespace has; otherwise it is skipped, and nothing is added."""
    write(
        bare_suite,
        """
        @pytest.mark.temporal(search_attributes={"Customer": "Keyword"})
        def test_there(temporal):
            greet(temporal)

        @pytest.mark.temporal(search_attributes={"Total": "Int"})
        def test_not_there(temporal):
            pass

        @pytest.mark.temporal(retention=timedelta(days=3))
        def test_retention(temporal):
            pass
        """,
    )
    result = bare_suite.run("--temporal-address", server.address, "--temporal-namespace=ours")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * the namespace ours, which all tests share, has no search attribute Total=Int",
            "SKIPPED * a test cannot set its own retention here: all tests share the namespace ours",
        ]
    )


def test_server_that_refuses_new_namespaces(
    server: DevServer, bare_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The namespace of the environment is shared instead, and the server is asked only once."""
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "ours")
    bare_suite.file("conftest.py", REFUSING)
    write(bare_suite)
    bare_suite.passes("--temporal-address", server.address, passed=2)
    assert {report["namespace"] for report in reports(bare_suite.path)} == {"ours"}
    assert (bare_suite.path / "asked").read_text() == "x"


def test_server_that_refuses_new_namespaces_without_a_shared_one(server: DevServer, bare_suite: Suite) -> None:
    """Tests are skipped, and the reason says how to set a namespace."""
    bare_suite.file("conftest.py", REFUSING)
    write(bare_suite)
    result = bare_suite.run("--temporal-address", server.address)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED * no new namespaces here: Request unauthorized.; use --temporal-namespace with one for all tests"]
    )


# Unsupported tests


def test_unsupported_tests_are_skipped(server: DevServer, bare_suite: Suite) -> None:
    """Private servers, versions, dynamic configuration and outages are skipped with the reason; other tests run."""
    write(
        bare_suite,
        """
        @pytest.mark.temporal(private_server=True)
        def test_private(temporal):
            pass

        @pytest.mark.temporal(version="1.9.1")
        def test_version(temporal):
            pass

        @pytest.mark.temporal(dynamic_config={"frontend.WorkflowPauseEnabled": False})
        def test_configured(temporal):
            pass

        def test_outage(temporal_outage):
            pass

        def test_plain(temporal):
            greet(temporal)
        """,
    )
    result = bare_suite.run("--temporal-address", server.address)
    result.assert_outcomes(passed=1, skipped=4)
    reason = (
        ": no private servers here: the plugin did not start the external server; use the managed backend for this test"
    )
    assert len([line for line in result.outlines if line.endswith(reason)]) == 4


def test_time_skipping(server: DevServer, bare_suite: Suite) -> None:
    """An external server with time skipping turned on skips time."""
    write(bare_suite, SLEEPS)
    bare_suite.passes("--temporal-address", server.address, passed=1)
    bare_suite.passes("--temporal-address", server.address, "--temporal-namespace=ours", passed=1)


def test_server_without_time_skipping(installed: Executable, bare_suite: Suite) -> None:
    """Tests that need it are skipped, and the reason names the setting."""
    write(bare_suite, SLEEPS)
    with DevServer.start(ui=False, tuning="stock") as server:
        result = bare_suite.run("--temporal-address", server.address)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *time skipping*frontend.WorkflowTimeSkippingEnabled*"])
