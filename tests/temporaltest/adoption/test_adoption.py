"""`--temporal-adopt`: suites written for the SDK's `WorkflowEnvironment` run unchanged on the shared server."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from devserver.executables.models import Executable
from tests.helpers.pytest_process import TALK, reports
from tests.temporaltest.conftest import TWO, Suite

ADOPT = "--temporal-adopt"

COMMON = """
import dataclasses
import unittest
import uuid
from datetime import datetime, timezone

import pytest_asyncio
from temporalio.client import Client, Interceptor, OutboundInterceptor
from temporalio.common import SearchAttributeKey
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


@workflow.defn
class Rests:
    @workflow.run
    async def run(self, days: int) -> None:
        await workflow.sleep(timedelta(days=days))


async def greet(env, name="Ada"):
    queue = str(uuid.uuid4())
    report(address=env.client.service_client.config.target_host, namespace=env.client.namespace)
    async with Worker(env.client, task_queue=queue, workflows=[Greet, Rests]):
        assert await env.client.execute_workflow(Greet.run, name, id=queue, task_queue=queue) == f"Hello, {name}"
"""

STYLES = """
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_env():
    async with await WorkflowEnvironment.start_local(namespace="styles") as env:
        yield env


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_env():
    env = await WorkflowEnvironment.start_local()
    yield env
    await env.shutdown()
    await env.shutdown()


def test_plugin(temporal_server):
    report(address=temporal_server.address, namespace="plugin")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("n", range(2))
async def test_session(session_env, n):
    await greet(session_env)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("n", range(2))
async def test_module(module_env, n):
    await greet(module_env)


@pytest.mark.asyncio
async def test_inline():
    async with await WorkflowEnvironment.start_local() as env, await WorkflowEnvironment.start_local() as other:
        assert isinstance(env, WorkflowEnvironment)
        assert not env.supports_time_skipping
        await greet(env)
        await greet(other)
        assert (await env.client.count_workflows()).count == 1
        with env.auto_time_skipping_disabled():
            await env.sleep(0.001)
        assert abs(await env.get_current_time() - datetime.now(timezone.utc)) < timedelta(minutes=5)
        with pytest.raises(RuntimeError, match="start_time_skipping_v2"):
            await env.fast_forward(env.client.get_workflow_handle("any"), 1)


class Noting(Interceptor):
    def __init__(self):
        self.started = []

    def intercept_client(self, next):
        return NotingOutbound(next, self.started)


class NotingOutbound(OutboundInterceptor):
    def __init__(self, next, started):
        super().__init__(next)
        self.started = started

    async def start_workflow(self, input):
        self.started.append(input.workflow)
        return await super().start_workflow(input)


@pytest.mark.asyncio
async def test_options(session_env):
    noting, runtime = Noting(), Runtime(telemetry=TelemetryConfig())
    options = {"interceptors": [noting], "identity": "me", "runtime": runtime, "rpc_metadata": {"a": "b"}}
    keys = [SearchAttributeKey.for_keyword("Customer"), SearchAttributeKey.for_keyword_list("Tags")]
    async with await WorkflowEnvironment.start_local(search_attributes=keys, ui=True, **options) as env:
        await greet(env)
        assert noting.started == ["Greet"]
        config = env.client.service_client.config
        assert (config.identity, config.runtime, dict(config.rpc_metadata)) == ("me", runtime, {"a": "b"})
        assert (await env.client.count_workflows("Customer = 'Ada' OR Tags = 'x'")).count == 0
        again = WorkflowEnvironment.from_client(env.client)
        assert again.client.namespace == env.client.namespace
        elsewhere = await Client.connect("127.0.0.1:1", lazy=True, interceptors=[noting])
        from_client = WorkflowEnvironment.from_client(elsewhere)
        await greet(from_client)
        assert noting.started == ["Greet", "Greet"]


@pytest.mark.asyncio
async def test_skips():
    async with await WorkflowEnvironment.start_time_skipping() as env:
        assert env.supports_time_skipping_v1
        assert not getattr(env, "supports_time_skipping_v2", False)
        await greet(env)
        async with Worker(env.client, task_queue="q", workflows=[Rests]):
            begin = await env.get_current_time()
            resting = await env.client.start_workflow(Rests.run, 3, id="r", task_queue="q")
            await env.sleep(timedelta(days=1))
            assert await env.get_current_time() - begin >= timedelta(days=1)
            with env.auto_time_skipping_disabled(), pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(resting.result(), 0.5)
            await resting.result()
            assert await env.get_current_time() - begin >= timedelta(days=3)


@pytest.mark.asyncio
async def test_skips_by_workflow():
    async with await WorkflowEnvironment.start_time_skipping_v2() as env:
        assert env.supports_time_skipping_v2
        await greet(env)
        async with Worker(env.client, task_queue="q", workflows=[Rests]):
            resting = await env.client.start_workflow(Rests.run, 3, id="r", task_queue="q")
            await resting.result()
            assert await env.get_current_time(resting) > datetime.now(timezone.utc) + timedelta(days=2)
        with pytest.raises(RuntimeError, match="fast_forward"):
            await env.sleep(1)


class TestUnit(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.env = await WorkflowEnvironment.start_local()
        self.addAsyncCleanup(self.env.shutdown)

    async def test_unit(self):
        await greet(self.env)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio(anyio_backend):
    async with await WorkflowEnvironment.start_local() as env:
        await greet(env)
"""

SESSIONS = """
async def session_env(**arguments):
    async with await WorkflowEnvironment.start_local(**arguments) as env:
        yield env


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def first():
    async for env in session_env():
        yield env


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def second():
    keys = [SearchAttributeKey.for_keyword("Customer")]
    async for env in session_env(search_attributes=keys):
        yield env


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def other():
    async for env in session_env(namespace="shop"):
        yield env


@pytest.mark.asyncio(loop_scope="session")
async def test_names(first, second, other):
    for env in (first, second, other):
        await greet(env)
    assert (await second.client.count_workflows("Customer = 'Ada'")).count == 0


"""

STAYS_OPEN = """
@pytest.mark.asyncio
async def test_leaves():
    env = await WorkflowEnvironment.start_local()
    report(address=env.client.service_client.config.target_host, namespace=env.client.namespace)
    await env.client.start_workflow(Rests.run, 1, id="r", task_queue="nobody")


@pytest.mark.asyncio
async def test_shuts_down():
    async with await WorkflowEnvironment.start_local() as env:
        report(address=env.client.service_client.config.target_host, namespace=env.client.namespace)
        await env.client.start_workflow(Rests.run, 1, id="r", task_queue="nobody")
    assert (await env.client.count_workflows("ExecutionStatus = 'Running'")).count == 0


@workflow.defn
class Bug:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("no cups left")


@pytest.mark.asyncio
async def test_fails():
    async with await WorkflowEnvironment.start_local() as env:
        async with Worker(env.client, task_queue="q", workflows=[Bug]):
            await env.client.execute_workflow(Bug.run, id="buggy", task_queue="q")
"""

OWN = """
import os


@pytest.mark.asyncio
@pytest.mark.parametrize("n", range(2))
async def test_own(n):
    arguments = ["--dynamic-config-value", "limit.maxIDLength=44"]
    binary = os.environ["OWN_BINARY"]
    env = await WorkflowEnvironment.start_local(dev_server_existing_path=binary, dev_server_extra_args=arguments)
    async with env:
        report(address=env.client.service_client.config.target_host, namespace=env.client.namespace)
        assert WorkflowEnvironment.from_client(env.client).client.namespace == "default"


@pytest.mark.asyncio
async def test_same_binary():
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=os.environ["OWN_BINARY"]) as env:
        assert env.client.namespace.startswith("test-same-binary-")
"""


def test_every_style_has_a_namespace_of_its_own_on_the_shared_server(suite: Suite) -> None:
    """Environments inline, in fixtures of any scope, in unittest and anyio get the shared server, and a namespace."""
    suite.tests(TALK + COMMON + STYLES)
    suite.passes(ADOPT, passed=11)
    found = reports(suite.path)
    assert len({one["address"] for one in found}) == 1
    namespaces = {one["namespace"] for one in found}
    # Of the plugin's own test, the session's and the module's fixture, and of eight environments inline.
    assert len(namespaces) == 11
    assert "styles" in namespaces


def test_environments_of_the_session_have_the_name_that_they_ask_for(suite: Suite) -> None:
    """A suite with one environment may know the name of its namespace; who comes second has a server for that."""
    suite.tests(TALK + COMMON + SESSIONS)
    suite.passes(ADOPT, passed=1)
    first, second, other = reports(suite.path)
    assert [first["namespace"], second["namespace"], other["namespace"]] == ["default", "default", "shop"]
    assert first["address"] != second["address"]


def test_the_end_of_an_environment(suite: Suite) -> None:
    """Open workflows end with their environment, at the latest with the run; a failed test shows its workflows."""
    suite.tests(TALK + COMMON + STAYS_OPEN)
    result = suite.run(ADOPT)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*namespace test-fails-*", "*buggy (Bug): *", "*no cups left*"])

    async def open_workflows(address: str, namespace: str) -> int:
        client = await Client.connect(address, namespace=namespace)
        return (await client.count_workflows("ExecutionStatus = 'Running'")).count

    for one in reports(suite.path):
        assert asyncio.run(open_workflows(one["address"], one["namespace"])) == 0


def test_an_own_server_is_named_in_the_summary(
    suite: Suite, prepared: Executable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs a server of its own starts it, and the summary has the reason and the line, once, under xdist too."""
    monkeypatch.setenv("OWN_BINARY", str(prepared.path))
    suite.tests(TALK + COMMON + OWN)
    result = suite.passes(ADOPT, passed=3, ways=TWO)
    (line,) = [line for line in result.outlines if "has a server of its own" in line]
    assert line.startswith("test_it.py:")
    assert "start_local(dev_server_extra_args=" in line
    assert line.endswith("(2 times)")
    assert len({one["address"] for one in reports(suite.path)}) == 2


@pytest.mark.usefixtures("own_suite")
def test_the_sdk_is_unchanged_without_the_option_and_after_the_run(pytester: pytest.Pytester) -> None:
    """Without the option nothing is replaced; what is replaced is put back when the run ends."""
    names = ("start_local", "start_time_skipping", "start_time_skipping_v2", "from_client")
    before = {name: WorkflowEnvironment.__dict__[name] for name in names}
    pytester.makepyfile(
        """
        from temporalio.testing import WorkflowEnvironment

        def test_module(pytestconfig):
            adopts = pytestconfig.getoption("temporal_adopt") is not None
            assert adopts == ("patches" in WorkflowEnvironment.start_local.__code__.co_filename)
        """
    )
    pytester.runpytest_inprocess("-p", "no:xdist").assert_outcomes(passed=1)
    pytester.runpytest_inprocess("-p", "no:xdist", ADOPT).assert_outcomes(passed=1)
    assert {name: WorkflowEnvironment.__dict__[name] for name in names} == before
