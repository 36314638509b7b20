"""The container backend, on a real Docker engine with an image of the real executable."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import processes_of
from tests.helpers.docker_engine import Engine, build, engine
from tests.helpers.pytest_process import TALK, reports, running
from tests.helpers.waiting import eventually
from tests.temporaltest.conftest import ALONE, SLEEPS, TWO, Suite
from tests.temporaltest.isolation.test_session import GREET, WAITING

pytestmark = pytest.mark.timeout(600)

OWN = os.urandom(4).hex()
IMAGE = f"temporaltest-image-{OWN}"
BROKEN = f"temporaltest-broken-{OWN}"
BOTH = pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])


@pytest.fixture(scope="session")
def docker(real_binary: Path) -> Iterator[Engine]:
    """A Docker engine with two images: one with the server, one whose program exits at once."""
    with engine() as found:
        images = [build(found, real_binary, IMAGE), build(found, Path("/bin/false"), BROKEN, entrypoint="/nothing")]
        yield found
        for image in images:
            found.client.images.remove(image, force=True)


@pytest.fixture
def contained(docker: Engine, bare_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Suite]:
    """A suite with the container backend, whose test must not leave a container."""
    for name, value in docker.environment.items():
        monkeypatch.setenv(name, value)
    bare_suite.ini("temporal_backend = container", f"temporal_image = {IMAGE}")
    yield bare_suite
    try:
        eventually(lambda: not docker.containers(), 30)  # the supervisor of a killed run removes its container
    finally:
        for container_id in docker.containers():
            docker.client.containers.get(container_id).remove(force=True)


def write(suite: Suite, text: str) -> None:
    """Write a module of tests that can greet, report to this test and wait."""
    suite.tests(f"{TALK}\n{GREET}\n{text}")


USING = """
@pytest.mark.parametrize("n", range(4))
def test_uses(temporal, n):
    greet(temporal)
    report(address=temporal.address, namespace=temporal.namespace)
"""


@BOTH
def test_same_tests_run_in_a_container(ways: tuple[str, ...], contained: Suite, home: Path, docker: Engine) -> None:
    """Tests run unchanged in one container for all workers, each in its own namespace; it is removed afterwards."""
    write(contained, USING)
    result = contained.passes(passed=4, ways=ways)
    result.stdout.fnmatch_lines([f"temporal: container of {IMAGE}, tuning fast, timeout 30 s"])
    assert "ResourceWarning" not in result.stderr.str()
    assert len({report["address"] for report in reports(contained.path)}) == 1
    assert len({report["namespace"] for report in reports(contained.path)}) == 4
    assert eventually(lambda: not docker.containers())
    assert eventually(lambda: not processes_of(home))


def test_time_is_skipped_in_a_container(contained: Suite) -> None:
    """The container's server has the fast tuning, so time skipping works too."""
    contained.tests(SLEEPS)
    contained.passes(passed=1)


def test_ports_are_published_on_loopback_only(contained: Suite, docker: Engine) -> None:
    """The server has no authentication, so only this machine may reach it."""
    write(contained, WAITING.format(count=1))
    with running(contained, "--temporal-ui=on") as run:
        run.reports()
        (container,) = docker.containers()
        ports = docker.client.containers.get(container).attrs["NetworkSettings"]["Ports"]
        published = [binding for bindings in ports.values() for binding in bindings or ()]
        assert len(published) == 3
        assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}
        for binding in published:
            socket.create_connection(("127.0.0.1", int(binding["HostPort"])), 10).close()
        run.release("go")
        run.output()


def test_private_container(contained: Suite) -> None:
    """A test can have its own container with its own dynamic configuration."""
    write(
        contained,
        """
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

def pauses(temporal):
    request = DescribeNamespaceRequest(namespace=temporal.namespace)
    found = temporal.run(temporal.client.workflow_service.describe_namespace(request))
    return found.namespace_info.capabilities.workflow_pause

@pytest.mark.temporal(dynamic_config={"frontend.WorkflowPauseEnabled": False, "frontend.httpAllowedHosts": ["x"]})
def test_own(temporal):
    assert not pauses(temporal)
    report(address=temporal.address)

def test_shared(temporal):
    assert pauses(temporal)
    report(address=temporal.address)
""",
    )
    contained.passes(passed=2)
    assert len({report["address"] for report in reports(contained.path)}) == 2


def test_unsupported_tests_are_skipped(contained: Suite) -> None:
    """Outages and other versions are skipped with the reason; other tests run."""
    write(
        contained,
        """
def test_outage(temporal, temporal_outage):
    pass

@pytest.mark.temporal(version="1.9.1")
def test_version(temporal):
    pass

def test_plain(temporal):
    greet(temporal)
""",
    )
    result = contained.run()
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * no outages here: the server runs in a container; use the managed backend for this test",
            "SKIPPED * no other server version here: the image has one version; use --temporal-image *",
        ]
    )


def test_skipped_tests_start_no_container(contained: Suite) -> None:
    """A test with outages is skipped without starting a container."""
    write(contained, "def test_outage(temporal, temporal_outage):\n    pass\n")
    contained.run(f"--temporal-image={BROKEN}").assert_outcomes(skipped=1)


@pytest.mark.parametrize("registry", ["refuses", "is silent"])
def test_without_ryuk(registry: str, contained: Suite, docker: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """If ryuk's image is unavailable, tests still run, and the container is removed after kill -9."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if registry == "is silent":
            silent.listen()
        monkeypatch.setenv("RYUK_CONTAINER_IMAGE", f"127.0.0.1:{silent.getsockname()[1]}/ryuk:1")
        monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "false")
        write(contained, WAITING.format(count=1))
        with running(contained) as run:
            run.reports()
            assert len(docker.containers()) == 1
            run.kill()
            run.output()
        assert eventually(lambda: not docker.containers(), 60)


# Kills and interrupts


@BOTH
@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_container_is_removed_with_its_run(
    how: str, ways: tuple[str, ...], contained: Suite, home: Path, docker: Engine
) -> None:
    """kill -9 and Ctrl-C of pytest remove its container."""
    write(contained, WAITING.format(count=2))
    with running(contained, ways=ways) as run:
        run.reports()
        assert len(docker.containers()) == 1
        getattr(run, how)()
        run.output()
        assert eventually(lambda: not docker.containers(), 60)
        assert eventually(lambda: not processes_of(home))


def supervisors(home: Path) -> list[psutil.Process]:
    """Return the processes that supervise containers."""
    return [
        process for process in processes_of(home) if "temporaltest.backends.container_supervisor" in process.cmdline()
    ]


def test_container_of_a_killed_supervisor_is_removed_by_next_run(contained: Suite, home: Path, docker: Engine) -> None:
    """The next run removes what a killed supervisor has left."""
    write(contained, WAITING.format(count=1))
    with running(contained) as run:
        run.reports()
        (left,) = docker.containers()
        (supervisor,) = supervisors(home)
        supervisor.kill()
        run.kill()
        run.output()
    assert docker.containers() == [left]
    (contained.path / "go").touch()
    contained.passes(passed=1)
    assert docker.containers() == []


def test_container_of_a_killed_supervisor_is_removed_by_its_run(contained: Suite, home: Path, docker: Engine) -> None:
    """A run whose supervisor is killed fails the running test, and leaves no container."""
    write(contained, WAITING.format(count=1))
    with running(contained, "--temporal-timeout=3") as run:
        run.reports()
        (supervisor,) = supervisors(home)
        supervisor.kill()
        # Not its wait(): it is a zombie until the run waits for it.
        assert eventually(lambda: supervisor.status() == psutil.STATUS_ZOMBIE)
        run.release("go")
        output = run.output()
    assert "1 failed" in output
    assert "ended while the test ran" in output
    assert docker.containers() == []


def test_two_runs_share_a_container(contained: Suite, docker: Engine) -> None:
    """Two simultaneous runs use one container; when one ends, the other continues with it."""
    write(contained, WAITING.format(count=1))
    with running(contained) as one, running(contained, ways=TWO) as other:
        assert len({report["address"] for report in one.reports(2)}) == 1
        assert len(docker.containers()) == 1
        one.release("go")
        assert "1 passed" in one.output()
        assert "1 passed" in other.output()
    assert eventually(lambda: not docker.containers())


def test_killed_container_fails_only_the_running_test(contained: Suite, docker: Engine) -> None:
    """The error is that the container was killed; the next test has a new container."""
    write(
        contained,
        """
def test_hit(temporal):
    greet(temporal)
    report(address=temporal.address)
    wait_for("killed")
    temporal.run(asyncio.sleep(600))

def test_after(temporal):
    greet(temporal)
""",
    )
    with running(contained, "--temporal-timeout=60") as run:
        run.reports()
        (container,) = docker.containers()
        docker.client.containers.get(container).kill()
        run.release("killed")
        output = run.output()
    assert "1 failed, 1 passed" in output
    assert "ended while the test ran" in output


# Linger and keep


def test_lingering_container_is_reused(contained: Suite, home: Path, docker: Engine) -> None:
    """A container that stays warm is used by the next run, and removed when its supervisor is terminated."""
    write(contained, USING)
    contained.passes("--temporal-linger=600", passed=4)
    (first,) = docker.containers()
    contained.passes("--temporal-linger=600", passed=4, ways=TWO)
    assert docker.containers() == [first]
    (supervisor,) = supervisors(home)
    supervisor.terminate()
    assert eventually(lambda: not docker.containers())


def test_keep(contained: Suite, docker: Engine) -> None:
    """With `--temporal-keep` the container stays, the run says how to stop it, and the next such run uses it."""
    write(contained, USING)
    result = contained.passes("--temporal-keep=on", passed=4)
    (container,) = docker.containers()
    result.stdout.fnmatch_lines(
        [f"the server is still running at http://127.0.0.1:* stop it with: docker rm -f {container[:12]}"]
    )
    contained.passes("--temporal-keep=on", passed=4, ways=TWO)
    assert docker.containers() == [container]
    docker.client.containers.get(container).remove(force=True)


# Unavailable containers


def _one_error(suite: Suite, *args: str) -> str:
    suite.tests("@pytest.mark.parametrize('n', range(50))\ndef test_needs(temporal, n):\n    pass\n")
    result = suite.run(*args)
    result.assert_outcomes(errors=50)
    output = result.stdout.str()
    assert "Traceback" not in output
    return output


def test_no_engine(bare_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Docker engine every test fails with an error that shows the alternatives."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{bare_suite.path}/nothing.sock")
    output = _one_error(bare_suite, "--temporal-backend=container")
    assert "no Docker engine answers" in output
    assert "use --temporal-backend managed" in output


def test_engine_on_another_machine(contained: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote engine is refused, because its containers would be open to the network."""
    monkeypatch.setenv("TC_HOST", "192.0.2.1")
    assert "the Docker engine is on 192.0.2.1: its containers can only be reached" in _one_error(contained)


def test_missing_image(contained: Suite) -> None:
    """The error names an image that cannot be pulled."""
    assert "Docker cannot run localhost:1/nothing" in _one_error(contained, "--temporal-image=localhost:1/nothing")


def test_image_that_exits(contained: Suite) -> None:
    """A container that exits at once is an error, and is removed."""
    assert BROKEN in _one_error(contained, f"--temporal-image={BROKEN}")


def test_testcontainers_is_missing(bare_suite: Suite) -> None:
    """The error names the extra to install."""
    bare_suite.file(
        "conftest.py",
        """
        import importlib.util

        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name == "testcontainers" else find(name, *more)
        """,
    )
    assert "pip install 'temporal-devserver[container]'" in _one_error(bare_suite, "--temporal-backend=container")
