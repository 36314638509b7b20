"""`devserver cluster up`: a cluster that serves, in the foreground or detached."""

from __future__ import annotations

import signal
import sys
from typing import Any

import click

from ...cluster import Cassandra, Cluster, ClusterControl, Postgres, cassandra, postgres, roles
from ...cluster.control import RING_SECONDS, START_SECONDS
from ...cluster.declaration import DEFAULT_VERSION, ROLES, Roles
from ...cluster.folder import command
from ...config.option_values import dynamic_value, parse_pair
from ...errors import OptionError
from ..options.cluster import cluster_name_option
from ..options.common import json_option, quiet_option
from ..options.types import Duration
from ..render.cluster import echo_status
from ..render.progress import CliReporter

DEFAULTS = Roles()
POSTGRES = "postgres"
MOST_DIGITS = 9  # longer numbers are out of range anyway


@click.command()
@click.option("--detach", "-d", is_flag=True, help="Return once the cluster serves, and leave it running.")
@cluster_name_option
@click.option("--version", default=DEFAULT_VERSION, metavar="VERSION", help="Version of the Temporal server.")
@click.option(
    "--role",
    "numbers",
    multiple=True,
    metavar="ROLE=N",
    help=f"Number of processes of a role ({DEFAULTS}). Repeatable.",
)
@click.option("--shards", type=int, default=8, metavar="N", help="Number of history shards, fixed at the first start.")
@click.option(
    "--database",
    "kind",
    type=click.Choice(("postgres", "cassandra")),
    default="postgres",
    show_default=True,
    help="Database of the cluster. With cassandra, visibility stays on PostgreSQL.",
)
@click.option("--connections", type=int, metavar="N", help="Most connections that PostgreSQL accepts (200).")
@click.option("--nodes", type=int, metavar="N", help="Number of Cassandra nodes (3).")
@click.option("--replication", type=int, metavar="N", help="Replication factor of Cassandra (3, at most the nodes).")
@click.option("--namespace", "-n", default="default", metavar="NAME", help="Namespace to create.")
@click.option("--port", "-p", type=click.IntRange(1, 65535), metavar="PORT", help="Port of the first frontend.")
@click.option("--dynamic-config-value", multiple=True, metavar="KEY=JSON", help="Dynamic configuration value.")
@click.option("--proxies", is_flag=True, help="Reach PostgreSQL through proxies, for `cut` and `slow`. Costs time.")
@click.option(
    "--timeout",
    type=Duration(positive=True),
    help=f"How long to wait for the cluster to serve ({START_SECONDS:g}s, with Cassandra {RING_SECONDS:g}s).",
)
@quiet_option
@json_option
def up(
    detach: bool,
    name: str,
    version: str,
    numbers: tuple[str, ...],
    shards: int,
    kind: str,
    connections: int | None,
    nodes: int | None,
    replication: int | None,
    namespace: str,
    port: int | None,
    dynamic_config_value: tuple[str, ...],
    proxies: bool,
    timeout: float | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Start a cluster.

    Each role runs in processes of its own, on a PostgreSQL of the cluster's own or on Cassandra nodes, all on
    loopback addresses. In the foreground Ctrl-C stops it; with -d, `devserver cluster down` does. Its data survives.
    """
    declared = Cluster(
        version=version,
        database=_database(kind, connections, nodes, replication),
        roles=_roles(numbers),
        shards=shards,
        namespace=namespace,
        dynamic_config=_dynamic_config(dynamic_config_value),
    )
    control = ClusterControl(name)
    reporter = CliReporter(quiet=quiet)
    with control.started(
        declared, port=port, limit=timeout, reporter=reporter, detach=detach, proxies=proxies
    ) as status:
        if not quiet:
            echo_status(status, as_json=as_json)
            if not as_json:
                click.echo(f"{command('down', name)} stops it" if detach else "Ctrl-C stops it")
            sys.stdout.flush()
        if not detach:
            signal.pause()


def _database(kind: str, connections: int | None, nodes: int | None, replication: int | None) -> Postgres | Cassandra:
    given = {"--connections": connections, "--nodes": nodes, "--replication": replication}
    fitting = ("--connections",) if kind == POSTGRES else ("--nodes", "--replication")
    wrong = [name for name, value in given.items() if value is not None and name not in fitting]
    if wrong:
        raise OptionError(
            f"{wrong[0]} is not for --database {kind}",
            hint="--connections is for postgres, --nodes and --replication are for cassandra",
        )
    if kind == POSTGRES:
        return postgres() if connections is None else postgres(connections=connections)
    number = 3 if nodes is None else nodes
    return cassandra(nodes=number, replication=min(3, number) if replication is None else replication)


def _dynamic_config(texts: tuple[str, ...]) -> dict[str, Any]:
    pairs = (parse_pair(text, "--dynamic-config-value", "KEY=JSON", "frontend.namespaceRPS=100") for text in texts)
    return {key: dynamic_value(key, value) for key, value in pairs}


def _roles(texts: tuple[str, ...]) -> Roles:
    numbers: dict[str, int] = {}
    for text in texts:
        role, number = parse_pair(text, "--role", "ROLE=N", "history=2")
        if role not in ROLES or not number.isdecimal():
            raise OptionError(f"--role {text!r} is not a role and a number", hint=f"roles: {', '.join(ROLES)}")
        numbers[role] = int(number[:MOST_DIGITS])
    return roles(**numbers)
