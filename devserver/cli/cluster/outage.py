"""Outages of a cluster's network and database: `devserver cluster cut|slow|heal|fill-disk|free-disk|...`."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

import click

from ...cluster import ClusterControl
from ...cluster.declaration import DATABASE, check_version
from ...cluster.errors import DatabaseRefused
from ...cluster.folder import command
from ..options.cluster import ROLE_MEMBERS, cluster_name_option
from ..options.common import json_option
from ..options.types import Duration
from ..render.output import echo_form
from ..render.table import echo_table
from .member import act_on_members

WAYS = ("silent", "refused", "reset")  # of `database_links`, which is slow to import

members_argument = click.argument("members", metavar="MEMBER...", nargs=-1, required=True)


@click.command(
    help=f"""Cut the network between members and PostgreSQL, until `heal`.

{ROLE_MEMBERS}

refused: open connections break, and new ones are refused. reset: new ones are opened, and break at once. silent:
nothing is answered, so members wait for their own time-outs.
"""
)
@members_argument
@click.option("--how", type=click.Choice(WAYS), default="silent", show_default=True, help="What members notice of it.")
@cluster_name_option
@json_option
def cut(members: tuple[str, ...], how: str, name: str, as_json: bool) -> None:
    """See the help."""
    act_on_members("cut", members, name, as_json, how=how)


@click.command(
    help=f"""Make the network between members and PostgreSQL slow, until `heal`.

{ROLE_MEMBERS}

A workflow's start takes about ten round trips, so 100ms more are as bad as a dead database.
"""
)
@members_argument
@click.option(
    "--by",
    type=Duration(positive=True),
    default="100ms",
    show_default=True,
    help="Time that each direction takes more.",
)
@cluster_name_option
@json_option
def slow(members: tuple[str, ...], by: float, name: str, as_json: bool) -> None:
    """See the help."""
    act_on_members("slow", members, name, as_json, by=by)


@click.command(
    help=f"""End `cut` and `slow` of members.

{ROLE_MEMBERS}
"""
)
@members_argument
@cluster_name_option
@json_option
def heal(members: tuple[str, ...], name: str, as_json: bool) -> None:
    """See the help."""
    act_on_members("heal", members, name, as_json)


@click.command(name="fill-disk")
@cluster_name_option
@json_option
def fill_disk(name: str, as_json: bool) -> None:
    """Fill the disk of PostgreSQL, until `free-disk`: its files may not grow.

    PostgreSQL ends with a write that it cannot do without. It needs space and a start.
    """
    act_on_members("fill_disk", (DATABASE,), name, as_json)


@click.command(name="free-disk")
@cluster_name_option
@json_option
def free_disk(name: str, as_json: bool) -> None:
    """End `fill-disk`. If PostgreSQL has ended, start it: devserver cluster start postgres."""
    act_on_members("free_disk", (DATABASE,), name, as_json)


@click.command(name="exhaust-connections")
@cluster_name_option
@json_option
def exhaust_connections(name: str, as_json: bool) -> None:
    """Use up every connection of PostgreSQL, until Ctrl-C.

    It is another client, named leaking-client, which takes those that become free too. Members that run do not notice;
    one that restarts ends. Some connections are reserved for the administrator.
    """
    from ...rehearsal.patient.held_connections import APPLICATION, HeldConnections

    control = ClusterControl(name)
    control.ask("status")
    held = HeldConnections(control.folder)
    held.take()
    try:
        if as_json:
            echo_form(client=APPLICATION, connections=held.count)
        else:
            click.echo(f"{APPLICATION} has {held.count} connections; Ctrl-C ends them")
        sys.stdout.flush()
        signal.pause()
    finally:
        held.release()


@click.command(name="schema-behind")
@cluster_name_option
@json_option
def schema_behind(name: str, as_json: bool) -> None:
    """Set the version of the schema one back, until `update-schema`.

    Members that run do not notice; one that restarts ends. Only the version changes, not the tables.
    """
    from ...cluster import database_access

    control = ClusterControl(name)
    control.ask("status")
    with _reached(name):
        database_access.set_schema_back(control.folder)
        found = database_access.schema_versions(control.folder)
    if as_json:
        echo_form(schemas=found)
    else:
        click.echo(f"the schema is {found['temporal']}; {command('update-schema', name)} ends it")


@click.command(name="update-schema")
@click.argument("version", default="")
@cluster_name_option
@json_option
def update_schema(version: str, name: str, as_json: bool) -> None:
    """Update the schema to what VERSION of the Temporal server needs (default: the cluster's version).

    It is the first step of an upgrade: members of older versions run with a newer schema. PostgreSQL has to run.
    """
    from ...cluster import database_access

    control = ClusterControl(name)
    control.ask("status")
    if version:
        check_version(version)
    with _reached(name):
        database_access.update_schema(control.folder, version)
        found = database_access.schema_versions(control.folder)
    if as_json:
        echo_form(schemas=found)
    else:
        echo_table(("DATABASE", "SCHEMA"), found.items())


@contextlib.contextmanager
def _reached(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseRefused(
            f"cannot connect to the database of the cluster {name}: {error}",
            hint=f"start it with: {command('start', name)} {DATABASE}",
        ) from error
