"""`devserver payloads`: what the folder of large payloads holds, whether it is sound; cleaning it up and showing it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..connection import Connection
from ..options import parse_duration
from ..payloads.sizes import show_size
from . import _payloads_text as text
from ._connection_options import connection_options
from ._instance_options import json_option, yes_option

if TYPE_CHECKING:
    from ..payloads import BlobFolder, Pruned, Usage

F = Callable[..., Any]


@click.group()
def payloads() -> None:
    """Large payloads that clients and workers keep in a folder."""


def folder_option(function: F) -> F:
    """Add --folder; the command gets the folder as `blobs`."""

    @functools.wraps(function)
    def with_folder(*args: Any, folder: Path | None, **values: Any) -> Any:
        from ..paths import whole
        from ..payloads.blobs import BlobFolder
        from ..payloads.folders import default_folder

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


@payloads.command()
@folder_option
@connection_options
@click.option("--offline", is_flag=True, help="Ask no server: only see that what the folder holds is intact.")
@json_option
def check(blobs: BlobFolder, connection: Connection, offline: bool, as_json: bool) -> None:
    """See that every payload which a server's histories refer to is there, and that what the folder holds is intact.

    Exits 0 when all is well, 1 when something is missing or corrupt, 4 when the server cannot be asked.
    """
    from ..payloads.checking import troubles

    usage = None if offline else _usage(connection, None)
    found = list(troubles(blobs, usage))
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

    The server is asked for all that it keeps, in every namespace; what was stored for other servers stays. Exits 4 when
    it cannot be asked: then nothing is removed.
    """
    from ..payloads import forget
    from ..payloads import prune as prune_

    seconds = parse_duration(older_than, "--older-than")
    if gone is not None:
        done = forget(blobs, gone, dry_run=True)
        if not dry_run and (yes or _sure(done, gone)):
            forget(blobs, gone)
    else:
        usage = _usage(connection, blobs)
        done = prune_(blobs, usage, older_than=seconds, dry_run=dry_run)
    shown = text.pruned(done, dry_run=dry_run)
    click.echo(json.dumps(shown, indent=2)) if as_json else text.echo_pruned(shown)


def _sure(done: Pruned, server: str) -> bool:
    question = f"Remove {len(done.removed)} payloads ({show_size(done.freed)}) of the server {server}?"
    if click.confirm(question, err=True):
        return True
    click.echo("nothing was changed")
    raise click.exceptions.Exit(1)


def _usage(connection: Connection, blobs: BlobFolder | None) -> Usage:
    """What the server refers to; for a prune of `blobs`, only what can matter to it is read."""
    import asyncio

    from ..connection import connect, find_target
    from ..payloads.pruning import first_use
    from ..payloads.usage import server_of, usage_of

    async def ask() -> Usage:
        client = await connect(find_target(connection))
        since = None if blobs is None else first_use(blobs, await server_of(client))
        return await usage_of(client, since=since)

    return asyncio.run(ask())
