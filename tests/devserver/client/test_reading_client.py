"""The client of commands that read: it answers as the SDK's does, and leaves to that what it cannot do."""

from __future__ import annotations

import asyncio
import functools
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, ListWorkflowExecutionsRequest
from temporalio.service import RPCError, RPCStatusCode

from devserver.client import ServiceCalls
from devserver.client.http2 import CallFailed, Http2Connection
from devserver.client.reading_client import SERVICE, ReadingClient
from devserver.client.target import Target, connect
from devserver.errors import CannotAsk
from tests.helpers.shared_server import SharedServer
from tests.helpers.tls_proxy import make_certificates, tls_proxy

MANY = 300
LONG = {"long": "x" * 300}  # its length takes two bytes in a header
DEFERRED = """
import sys
from devserver.client.deferred_sdk import defer_sdk, run_body
defer_sdk()
import temporalio.api.history.v1
assert "temporalio.service" not in sys.modules
from temporalio import workflow
import temporalio.client
print(temporalio.__version__ == temporalio.service.__version__, workflow.defn.__name__)
run_body()
"""


def describe(workflow_id: str, namespace: str = "default") -> DescribeWorkflowExecutionRequest:
    """A request for the description of a workflow."""
    return DescribeWorkflowExecutionRequest(namespace=namespace, execution=WorkflowExecution(workflow_id=workflow_id))


async def same_answers(server: SharedServer) -> None:
    """Compare answers and errors with those of the SDK's client."""
    there = functools.partial(describe, namespace=server.namespace)
    sdk = await server.connect()
    ours: Any = await connect(Target(server.address, server.namespace, connect={"rpc_metadata": LONG}), reading=True)
    assert isinstance(ours, ReadingClient)
    for number in range(3):
        await sdk.start_workflow("Unknown", id=f"w-{number}", task_queue="nobody", memo={"text": "y" * 100_000})
    answers = await asyncio.gather(
        *(ours.workflow_service.describe_workflow_execution(there(f"w-{number % 3}")) for number in range(MANY))
    )
    theirs = [await sdk.workflow_service.describe_workflow_execution(there(f"w-{number}")) for number in range(3)]
    assert answers == theirs * (MANY // 3)
    for bad in (there("nothing"), there("w-0" * 40_000)):
        with pytest.raises(RPCError) as mine:
            await ours.workflow_service.describe_workflow_execution(bad, timeout=timedelta(seconds=10))
        with pytest.raises(RPCError) as sdks:
            await sdk.workflow_service.describe_workflow_execution(bad)
        assert (mine.value.status, mine.value.message) == (sdks.value.status, sdks.value.message)
    query = ListWorkflowExecutionsRequest(namespace=server.namespace, query="no = 'such")
    with pytest.raises(RPCError, match="query"):
        await ours.workflow_service.list_workflow_executions(query)


async def late(port: int) -> RPCError:
    """The error of a call that nobody answers."""
    client: Any = await connect(Target(f"127.0.0.1:{port}", "default"), reading=True)
    with pytest.raises(RPCError) as caught:
        await client.workflow_service.describe_workflow_execution(describe("w"), timeout=timedelta(seconds=0.1))
    return caught.value


async def unlike_grpc(address: str) -> None:
    """A call to something that is no gRPC server without TLS."""
    calls = ServiceCalls(await connect(Target(address, "default"), reading=True))
    await calls.describe_workflow("w")


def test_same_answers_as_the_sdk(server: SharedServer, tmp_path: Path) -> None:
    """Hundreds of calls at once bring what the SDK's client brings, also its errors; TLS has its own message."""
    certificates = make_certificates(tmp_path / "tls")
    asyncio.run(same_answers(server))
    with (
        tls_proxy(server.address, certificates) as address,
        pytest.raises(CannotAsk, match="closes the connection"),
    ):
        asyncio.run(unlike_grpc(address))
    with pytest.raises(CannotAsk, match=r"check the port|does not answer as a gRPC server"):
        asyncio.run(unlike_grpc(server.server.http_url.removeprefix("http://")))


def test_a_silent_server() -> None:
    """A call that nobody answers fails at its limit, with the SDK's error."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # connections are made, and nobody reads from them
        error = asyncio.run(late(nobody.getsockname()[1]))
    assert error.status == RPCStatusCode.DEADLINE_EXCEEDED


def test_frames_in_pieces() -> None:
    """An answer is put together from frames that come byte by byte, with padding; a reset stream has no answer."""

    async def run() -> tuple[bytes, bool]:
        sent: list[bytes] = []
        connection = Http2Connection("host:1", {})
        transport: Any = type("Transport", (), {"write": staticmethod(sent.append), "close": lambda _: None})()
        connection.connection_made(transport)
        answer = asyncio.ensure_future(connection.call(SERVICE + "X", b"request", 10))
        refused = asyncio.ensure_future(connection.call(SERVICE + "X", b"request", 10))
        await asyncio.sleep(0)
        data = bytes([0, 0, 4, 0, 8, 0, 0, 0, 1, 2, 0, 0, 0]) + bytes([0, 0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3]) + b"abc"
        # The first frame has one byte of content and two of padding: a message of 3 bytes begins with five zeros.
        frames = data + bytes([0, 0, 0, 1, 5, 0, 0, 0, 1]) + bytes([0, 0, 4, 3, 0, 0, 0, 0, 3, 0, 0, 0, 7])
        for byte in frames:
            connection.data_received(bytes([byte]))
        got = await answer
        with pytest.raises(CallFailed):
            await refused
        return got, any(b"request" in part for part in sent)

    assert asyncio.run(run()) == (b"abc", True)


def test_a_reset_stream_has_no_answer() -> None:
    """Also after a whole message: a call whose end did not come has no status. An empty frame breaks nothing."""

    async def run() -> None:
        connection = Http2Connection("host:1", {})
        transport: Any = type("Transport", (), {"write": lambda *_: None, "close": lambda _: None})()
        connection.connection_made(transport)
        answer = asyncio.ensure_future(connection.call(SERVICE + "X", b"request", 10))
        await asyncio.sleep(0)
        connection.data_received(bytes([0, 0, 0, 0, 8, 0, 0, 0, 1]))  # says that it has padding, and has nothing
        connection.data_received(bytes([0, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3]) + b"abc")
        connection.data_received(bytes([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2]))
        with pytest.raises(CallFailed):
            await answer

    asyncio.run(run())


def test_parts_of_the_sdk() -> None:
    """What a command reads is imported without the SDK's services, which come when they are used."""
    done = subprocess.run([sys.executable, "-c", DEFERRED], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True defn\n", "")
