"""`devserver payloads`: what the folder of large payloads holds, whether it is sound; cleaning it up and showing it."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..client.target import Connection
from ..config.server_options import parse_duration
from ..payloads.limits import format_size
from .options.confirmation import confirm, yes_option
from .options.connection import connection_options
from .options.server import json_option
from .render import payloads as text

if TYPE_CHECKING:
    from ..payloads import BlobFolder, PayloadUsage

F = Callable[..., Any]
PORT = 8234


@click.group()
def payloads() -> None:
    """Large payloads that clients and workers keep in a folder."""


def folder_option(function: F) -> F:
    """Add --folder; the command gets the folder as `blobs`."""

    @functools.wraps(function)
    def with_folder(*args: Any, folder: Path | None, **values: Any) -> Any:
        from ..payloads.blobs import BlobFolder, default_folder
        from ..system.paths import whole

        return function(*args, blobs=BlobFolder(default_folder() if folder is None else whole(folder)), **values)

    return click.option(
        "--folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder, if it is not DEVSERVER_PAYLOADS or the usual one.",
    )(with_folder)


@payloads.command()
@folder_option
@json_option
def status(blobs: BlobFolder, as_json: bool) -> None:
    """Tell where the folder is and how much it holds, by server. Asks no server."""
    shown = text.status(blobs)
    click.echo(json.dumps(shown, indent=2)) if as_json else text.echo_status(shown)


@payloads.command(name="list")
@folder_option
@json_option
def list_(blobs: BlobFolder, as_json: bool) -> None:
    """List what the folder holds, the newest first. Asks no server."""
    found = text.blobs(blobs)
    click.echo(json.dumps(found, indent=2)) if as_json else text.echo_blobs(found)


@payloads.command(short_help="See that nothing is missing, and all is intact.")
@folder_option
@connection_options
@click.option("--offline", is_flag=True, help="Ask no server: only see that what the folder holds is intact.")
@json_option
def check(blobs: BlobFolder, connection: Connection, offline: bool, as_json: bool) -> None:
    """See that every payload which a server's histories refer to is there, and that what the folder holds is intact.

    Exits 0 when all is well, 1 when something is missing or corrupt, 4 when the server cannot be asked.
    """
    from ..payloads.verification import find_problems

    usage = None if offline else _usage(connection)
    found = list(find_problems(blobs, usage))
    shown = text.checked(blobs, usage, found)
    click.echo(json.dumps(shown, indent=2)) if as_json else text.echo_checked(shown)
    if found:
        raise click.exceptions.Exit(1)


@payloads.command()
@folder_option
@connection_options
@click.option("--older-than", default="1d", show_default=True, metavar="TIME", help="Keep what was stored since then.")
@click.option("--forget", "gone", metavar="SERVER", help="Instead remove all of a server that is no more: see status.")
@click.option("--dry-run", is_flag=True, help="Remove nothing, only tell what would be removed.")
@yes_option
@json_option
def prune(
    blobs: BlobFolder,
    connection: Connection,
    older_than: str,
    gone: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove the payloads that a server refers to no longer.

    The server is asked for all that it keeps, in every namespace, and snapshots and backups of its database are read;
    what was stored for other servers stays. Exits 4 when it cannot be asked: then nothing is removed.
    """
    from ..payloads import prune as prune_
    from ..payloads import remove_server_payloads

    seconds = parse_duration(older_than, "--older-than")
    if gone is not None:
        _refuse_needed(gone)
        done = remove_server_payloads(blobs, gone, dry_run=True)
        if not dry_run:
            if not yes:
                confirm(f"Remove {len(done.removed)} payloads ({format_size(done.freed)}) of the server {gone}?")
            remove_server_payloads(blobs, gone)
    else:
        usage = _usage(connection)
        done = prune_(blobs, usage, older_than=seconds, dry_run=dry_run)
    shown = text.pruned(done, dry_run=dry_run)
    click.echo(json.dumps(shown, indent=2)) if as_json else text.echo_pruned(shown)


@payloads.command(short_help="Show them in the Web UI and the Temporal CLI.")
@folder_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    metavar="PORT",
    help="0 takes any free one.",
)
@click.option("--origin", "origins", multiple=True, metavar="URL", help="A Web UI that may ask, besides your servers'.")
@click.option("--show", default="512KB", show_default=True, metavar="SIZE", help="Show the head of what is larger.")
def serve(blobs: BlobFolder, port: int, origins: tuple[str, ...], show: str) -> None:
    """Show stored payloads in the Web UI and the Temporal CLI: a codec server on loopback, until Ctrl-C.

    Exits 130 after Ctrl-C, 0 after SIGTERM.
    """
    import signal
    import threading

    from ..payloads.codec_server import CodecServer

    ended: list[int] = []
    over = threading.Event()

    def end(number: int, _: object) -> None:
        ended.append(number)
        over.set()

    with CodecServer(blobs, port=port, origins=lambda: {*origins, *_own_uis()}, show=show) as server:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        for line in text.serving(server.url, blobs):
            click.echo(line)
        sys.stdout.flush()
        over.wait()
    if ended[0] == signal.SIGINT:
        raise KeyboardInterrupt


def _own_uis() -> set[str]:
    """The Web UIs of this user's servers."""
    from ..errors import DevServerError
    from ..instances.record import names, read_record
    from ..system.paths import Paths

    paths, found = Paths.default(), set()
    for name in names(paths):
        with contextlib.suppress(DevServerError):
            record = read_record(paths, name)
            if record is not None and record.ui_url is not None:
                found.add(record.ui_url)
    return found


def _refuse_needed(server: str) -> None:
    """Raise PayloadOptionError where this user still has a database of a server that is said to be no more."""
    from ..payloads import PayloadOptionError
    from ..payloads.databases import databases_of_server
    from ..system.paths import Paths

    needed = [each.label for each in databases_of_server(Paths.default(), server)]
    if needed:
        raise PayloadOptionError(
            f"the server {server} is still there: {', '.join(needed)}",
            hint="leave out --forget, or remove those first",
        )


def _usage(connection: Connection) -> PayloadUsage:
    """What the server refers to."""
    import asyncio

    from ..client.target import connect, find_target
    from ..payloads import read_usage

    async def ask() -> PayloadUsage:
        return await read_usage(await connect(find_target(connection)))

    return asyncio.run(ask())
