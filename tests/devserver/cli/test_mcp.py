"""`devserver mcp`: a real MCP client over stdio and HTTP, a real server, and clients that ask for too much."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from temporalio.client import Client as TemporalClient

from devserver.executables import Executable
from tests.conftest import CLI_LIMIT, Run, command

SECRET = "sk-marked-5417"
READING = ["status", "list", "trace", "search", "stuck", "replay"]
WRITING = ["up", "down", "rehearse"]
ORDERS = """
from temporalio import workflow

@workflow.defn
class Order:
    @workflow.run
    async def run(self, text: str) -> None:
        await workflow.wait_condition(lambda: False)
"""
SCENARIO = """
from orders import Order
from devserver.rehearsal import Scenario, expect

waits = Scenario("waits", "orders", Order, input="text", expect=[expect.completes()])
"""


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """The document that a tool answers with."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert json.loads(text_of(answer)) == answer.structured_content
    assert answer.structured_content is not None
    return answer.structured_content["result"]


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The text of the error that a tool answers with."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, answer.content
    return text_of(answer)


def text_of(answer: Any) -> str:
    """The text of an answer."""
    (content,) = answer.content
    return str(content.text)


def over_stdio(talk: Callable[[Client], Awaitable[None]], *options: str, **variables: str) -> None:
    """Start the command as an MCP client does, and talk to it."""
    words = command("mcp", *options)
    parameters = StdioServerParameters(command=words[0], args=words[1:], env={**os.environ, **variables})

    async def run() -> None:
        async with Client(parameters, read_timeout_seconds=CLI_LIMIT) as client:
            await talk(client)

    asyncio.run(run())


@contextmanager
def over_http() -> Iterator[str]:
    """Run the command with a port; its URL."""
    with subprocess.Popen(command("mcp", "--port", "0"), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[3].rstrip(";")
            process.send_signal(signal.SIGINT)
            assert process.wait(CLI_LIMIT) == 130
        finally:
            process.kill()


def test_an_agent_works_with_a_server(installed: Executable, devserver: Run, tmp_path: Path) -> None:
    """With --write a client starts a server, looks at its workflows, replays one, plans a rehearsal and stops it."""
    (tmp_path / "orders.py").write_text(ORDERS)
    (tmp_path / "waits.py").write_text(SCENARIO)

    async def talk(client: Client) -> None:
        listed = (await client.list_tools()).tools
        tools = {tool.name: bool(tool.annotations and tool.annotations.read_only_hint) for tool in listed}
        assert sorted(tools) == sorted([*READING, *WRITING])
        assert [name for name, reads in tools.items() if not reads] == WRITING
        address = (await call(client, "up", port=0, ephemeral=True))["address"]
        temporal = await TemporalClient.connect(address)
        await temporal.start_workflow("Order", f"{SECRET} " + "x" * 50_000, id="-order 1", task_queue="nobody")
        assert (await call(client, "status"))["state"] == "ready"
        assert [server["address"] for server in (await call(client, "list"))["servers"]] == [address]
        trace = await client.call_tool("trace", {"workflow_id": "-order 1"})
        assert not trace.is_error, trace.content
        assert len(text_of(trace)) < 5000
        assert SECRET not in text_of(trace)
        hits = (await call(client, "search", workflow_type="Order"))["hits"]
        assert [hit["workflow_id"] for hit in hits] == ["-order 1"]
        assert (await call(client, "search", text="--name"))["hits"] == []
        findings = (await call(client, "stuck", waiting="0s"))["findings"]
        assert [finding["workflow_id"] for finding in findings] == ["-order 1"]
        assert (await call(client, "replay", module="orders"))["passed"]
        plan = await call(client, "rehearse", paths=["waits.py"], dry_run=True)
        assert "waits" in json.dumps(plan)
        assert (await call(client, "down"))["stopped"] == ["default"]

    try:
        over_stdio(talk, "--write", "--max-characters", "4000", TEMPORAL_API_KEY=SECRET)
    finally:
        assert json.loads(devserver("down", "--json").stdout)["stopped"] == []


def test_a_read_only_server_refuses_changes(home: Path, tmp_path: Path) -> None:
    """Without --write, tools that change something are not listed, and a call of one is an error that names --write."""
    (tmp_path / "orders.py").write_text("raise SystemExit('this code has run')")

    async def talk(client: Client) -> None:
        assert sorted(tool.name for tool in (await client.list_tools()).tools) == sorted(READING)
        for tool in WRITING:
            error = await refusal(client, tool)
            assert error.startswith(f"{tool} is not allowed: this MCP server is read-only")
            assert "devserver mcp --write" in error
        for module in ("orders", "orders:Order", "allowed.orders", "./allowed"):
            assert "devserver mcp --module" in await refusal(client, "replay", module=module)
        assert "there is no instance default" in await refusal(client, "replay", module="allowed:Order")
        assert "there is no instance default\nhint: start it with: devserver up" in await refusal(client, "status")

    over_stdio(talk, "--module", "allowed")
    assert [path.name for path in home.iterdir()] in ([], ["devserver"])


def test_wrong_arguments(tmp_path: Path) -> None:
    """Bad input is an error of the call that says what the tool takes; the server continues."""
    (tmp_path / "outside").symlink_to("/etc")

    async def talk(client: Client) -> None:
        assert "unknown tool 'reset'\nhint: tools: status, list" in await refusal(client, "reset")
        error = await refusal(client, "trace", workflow_id=7, otlp="http://127.0.0.1")
        assert "wrong arguments of trace" in error
        assert "'otlp' was unexpected" in error
        assert "workflow_id: 7 is not of type 'string'" in error
        assert "it takes: workflow_id, run_id, depth" in error
        assert "'module' is a required property" in await refusal(client, "replay")
        assert "limit: 0 is less than the minimum of 1" in await refusal(client, "search", limit=0)
        assert "text is no usable text" in await refusal(client, "search", text="a\0b")
        assert "text is no usable text" in await refusal(client, "search", text="x" * 100_000)
        for path in ("/etc/passwd", "../x", "outside/passwd"):
            assert f"{path} is not in the project's folder" in await refusal(client, "trace", file=[path])
        assert "error: " in await refusal(client, "trace", workflow_id="--write")
        assert "is not a valid instance name" in await refusal(client, "status", name="../../etc")
        assert await call(client, "list") == {"form": 1, "servers": []}

    over_stdio(talk)


def test_http_on_loopback_only(devserver: Run) -> None:
    """A client reaches the server by HTTP; a page of another site, or one with another host name, does not."""
    with over_http() as url:

        async def talk() -> None:
            async with Client(url, read_timeout_seconds=CLI_LIMIT) as client:
                assert await call(client, "list") == {"form": 1, "servers": []}
                assert "--write" in await refusal(client, "up")

        asyncio.run(talk())
        headers = {"Accept": "application/json, text/event-stream"}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        for wrong in ({"Host": "rebound.example:80"}, {"Origin": "https://page.example"}, {"Origin": "null"}):
            answer = httpx.post(url, json=asked, headers={**headers, **wrong}, trust_env=False)
            assert answer.status_code in (403, 421), wrong


def test_addresses_that_others_reach_are_refused(devserver: Run) -> None:
    """Neither another address nor --write on a port is served; a taken port is named."""
    refused = devserver("mcp", "--port", "0", "--ip", "0.0.0.0")
    assert refused.returncode == 2
    assert "--ip 0.0.0.0 is not a loopback address" in refused.stderr
    writing = devserver("mcp", "--port", "0", "--write")
    assert writing.returncode == 2
    assert "--write and --port exclude each other" in writing.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in devserver("mcp", "--port", str(port)).stderr


def test_without_the_package(devserver: Run, tmp_path: Path) -> None:
    """Without the extra the error says what to install."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n")
    done = devserver("mcp", env={"PYTHONPATH": str(hidden)}, fresh=True)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the package mcp is not installed\nhint: install it: pip install 'temporal-devserver[mcp]'\n"
    )


@pytest.mark.parametrize("line", ["not json\n", '{"jsonrpc": "2.0", "id": 1}\n'], ids=["text", "json"])
def test_input_that_is_no_message(devserver: Run, line: str) -> None:
    """What is no message of the protocol ends nothing; the end of the input ends the command quietly."""
    done = devserver("mcp", answer=line)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
