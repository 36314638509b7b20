"""`devserver payloads`: show, check and clean up the folder of large payloads."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..client.connection import Connection
from ..payloads.limits import format_size
from .groups import CommandGroup
from .options.common import confirm, json_option, yes_option
from .options.connection import connection_options
from .options.types import Duration
from .render import payloads as text
from .render.output import echo_form, echo_json, echo_lines

if TYPE_CHECKING:
    from ..payloads import BlobFolder, PayloadUsage

F = Callable[..., Any]
PORT = 8234


@click.group(cls=CommandGroup)
def payloads() -> None:
    """Show, check and clean up large payloads that clients and workers store in a folder."""


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
        show_default="DEVSERVER_PAYLOADS, else the user's data folder",
        help="Folder of large payloads.",
    )(with_folder)


@payloads.command()
@folder_option
@json_option
def status(blobs: BlobFolder, as_json: bool) -> None:
    """Show the folder and its size, by server. Needs no running server."""
    shown = text.status(blobs)
    echo_json(shown) if as_json else text.echo_status(shown)


@payloads.command(name="list")
@folder_option
@json_option
def list_(blobs: BlobFolder, as_json: bool) -> None:
    """List stored payloads, the newest first. Needs no running server."""
    found = text.blobs(blobs)
    echo_form(folder=str(blobs.folder), payloads=found) if as_json else text.echo_blobs(found)


@payloads.command(short_help="Find missing and corrupt payloads.")
@folder_option
@connection_options
@click.option("--offline", is_flag=True, help="Only check that stored payloads are intact.")
@json_option
def check(blobs: BlobFolder, connection: Connection, offline: bool, as_json: bool) -> None:
    """Check that every payload that a server's histories refer to is stored, and that stored payloads are intact.

    Exits 0 when there is no problem, 1 when a payload is missing or corrupt, 4 when the server cannot be reached.
    """
    from ..payloads.verification import find_problems

    usage = None if offline else _usage(connection)
    found = list(find_problems(blobs, usage))
    shown = text.checked(blobs, usage, found)
    echo_json(shown) if as_json else text.echo_checked(shown)
    if found:
        raise click.exceptions.Exit(1)


@payloads.command()
@folder_option
@connection_options
@click.option("--older-than", type=Duration(), default="1d", help="Only remove payloads older than this.")
@click.option("--forget", "gone", metavar="SERVER", help="Remove all payloads of a server that no longer exists.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@yes_option
@json_option
def prune(
    blobs: BlobFolder,
    connection: Connection,
    older_than: float,
    gone: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove payloads that a server no longer refers to.

    Reads all histories of the server, in every namespace, and the snapshots and backups of its database. Payloads of
    other servers stay. Exits 4 when the server cannot be reached; then nothing is removed.
    """
    from ..payloads import prune as prune_
    from ..payloads import remove_server_payloads

    if gone is not None:
        _refuse_needed(gone)
        done = remove_server_payloads(blobs, gone, dry_run=True)
        if not dry_run:
            if not yes:
                confirm(f"Remove {len(done.removed)} payloads ({format_size(done.freed)}) of the server {gone}?")
            remove_server_payloads(blobs, gone)
    else:
        usage = _usage(connection)
        done = prune_(blobs, usage, older_than=older_than, dry_run=dry_run)
    shown = text.pruned(done, dry_run=dry_run)
    echo_json(shown) if as_json else text.echo_pruned(shown)


@payloads.command(short_help="Show payloads in the Web UI and the Temporal CLI.")
@folder_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, metavar="PORT", help="Port to listen on; 0 is any free port."
)
@click.option(
    "--origin", "origins", multiple=True, metavar="URL", help="Web UI to allow in addition to those of your servers."
)
@click.option("--show", default="512KB", metavar="SIZE", help="Show only the beginning of larger payloads.")
@json_option
def serve(blobs: BlobFolder, port: int, origins: tuple[str, ...], show: str, as_json: bool) -> None:
    """Show stored payloads in the Web UI and the Temporal CLI: a codec server on loopback, until Ctrl-C.

    Exits 130 after Ctrl-C, 0 after SIGTERM.
    """
    from ..payloads.codec_server import CodecServer
    from ..payloads.origins import parse_origin
    from .render.ending import end_signals

    allowed = [parse_origin(origin) for origin in origins]
    with (
        CodecServer(blobs, port=port, origins=lambda: {*allowed, *_own_uis()}, max_shown=show) as server,
        end_signals() as end,
    ):
        if as_json:
            echo_form(url=server.url, folder=str(blobs.folder))
        else:
            echo_lines(text.serving(server.url, blobs))
        sys.stdout.flush()
        end.wait()


def _own_uis() -> set[str]:
    """The Web UIs of this user's servers."""
    from ..errors import DevServerError
    from ..instances.folder import InstanceFolder
    from ..system.paths import Paths

    found = set()
    for folder in InstanceFolder.all(Paths.default()):
        with contextlib.suppress(DevServerError):
            record = folder.read_record()
            if record is not None and record.ui_url is not None:
                found.add(record.ui_url)
    return found


def _refuse_needed(server: str) -> None:
    """Raise PayloadOptionError if this user still has a database of a server that --forget names."""
    from ..payloads import PayloadOptionError
    from ..payloads.databases import databases_of_server
    from ..system.paths import Paths

    needed = [item.label for item in databases_of_server(Paths.default(), server)]
    if needed:
        raise PayloadOptionError(
            f"the server {server} still exists: {', '.join(needed)}",
            hint="leave out --forget, or remove these first",
        )


def _usage(connection: Connection) -> PayloadUsage:
    """The payloads that the server refers to."""
    import asyncio

    from ..client.target import connect, find_target
    from ..payloads import read_usage

    async def ask() -> PayloadUsage:
        return await read_usage(await connect(find_target(connection)))

    return asyncio.run(ask())
