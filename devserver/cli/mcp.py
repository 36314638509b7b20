"""`devserver mcp`: an MCP server for agents and editors."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import click

from ..client.codec_options import AUTH
from ..client.connection import Connection
from ..errors import OptionError
from ..mcp.errors import McpAddressRefused, McpMissing
from ..system.ports import bracketed, is_loopback
from .options.connection import connection_options, words_of

MOST_CHARACTERS = 50_000
LEAST_CHARACTERS = 2_000
LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--write", is_flag=True, help="Allow tools that start or change something: up, down, rehearse.")
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Allow replay to run the code of this module without --write. Repeatable.",
)
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), metavar="PORT", help="Serve HTTP on this port, not stdio; 0 is any."
)
@click.option("--ip", default=LOOPBACK, metavar="ADDR", help="Loopback address to serve HTTP on.")
@click.option(
    "--max-characters",
    type=click.IntRange(LEAST_CHARACTERS, 10_000_000),
    default=MOST_CHARACTERS,
    metavar="N",
    help="Maximum size of a result; what is left out is named.",
)
@connection_options
def mcp(
    write: bool, modules: tuple[str, ...], port: int | None, ip: str, max_characters: int, connection: Connection
) -> None:
    """Serve the Model Context Protocol, so that agents and editors can look at servers and workflows.

    Its tools are commands: status, list, trace, search, stuck and replay; with --write also up, down and rehearse.
    They work on the server that the options here choose, and in the current folder. See: devserver docs mcp.
    """
    _check(write, port, ip)
    import asyncio

    from ..mcp.calls import CommandRunner
    from ..mcp.server import PATH, ToolServer, serve_http, serve_stdio
    from ..system.ports import listen
    from .options.mcp_tools import command_tools

    secret = {"TEMPORAL_API_KEY": connection.api_key, AUTH: connection.codec_auth}
    headers = (*connection.codec_header, *connection.grpc_meta)
    words = [
        *words_of(connection),
        *(f"--codec-header={header}" for header in connection.codec_header),
        *(f"--grpc-meta={header}" for header in connection.grpc_meta),
    ]
    variables = {name: value for name, value in secret.items() if value is not None}
    server = ToolServer(
        command_tools(),
        CommandRunner(max_characters, variables, [header.partition("=")[2] for header in headers]),
        write=write,
        modules=modules,
        connection=words,
        folder=Path.cwd(),
        version=importlib.metadata.version("temporal-devserver"),
    ).build()
    if port is None:
        if sys.stdin.isatty():
            click.echo("waiting for an MCP client on stdin; Ctrl-C ends it (see: devserver docs mcp)", err=True)
        asyncio.run(serve_stdio(server))
        return
    with listen(ip, port, "--port") as listening:
        authority = f"{bracketed(ip)}:{listening.getsockname()[1]}"
        click.echo(f"MCP server at http://{authority}{PATH}; Ctrl-C stops it")
        sys.stdout.flush()
        asyncio.run(serve_http(server, listening, authority))


def _check(write: bool, port: int | None, ip: str) -> None:
    if not is_loopback(ip):
        raise McpAddressRefused(
            f"--ip {ip} is not a loopback address: other machines could use the tools",
            hint=f"leave it out, or use --ip {LOOPBACK}",
        )
    if port is None and ip != LOOPBACK:
        raise OptionError("--ip needs --port: stdio has no address", hint="add --port 8765")
    if write and port is not None:
        raise McpAddressRefused(
            "--write and --port exclude each other: any program of this machine can connect to a port",
            hint="use --write with stdio, where only the client that starts the server can use it",
        )
    if importlib.util.find_spec("mcp") is None:
        raise McpMissing("the package mcp is not installed", hint="install it: pip install 'temporal-devserver[mcp]'")
