"""A cluster and its members, as text and as JSON."""

from __future__ import annotations

from typing import Any

import click

from .output import echo_form
from .table import echo_table
from .terminal import clean

COLUMNS = ("MEMBER", "STATE", "PID", "ADDRESS", "METRICS", "VERSION")


def echo_status(status: dict[str, Any], *, as_json: bool) -> None:
    """Print the status of a running cluster."""
    if as_json:
        echo_form(**status)
        return
    for key in ("state", "address", "namespace", "version", "shards"):
        click.echo(f"{key:<10} {clean(str(status[key]))}")
    click.echo()
    echo_table(COLUMNS, (_row(member) for member in status["members"]))
    for where, what in status["outages"].items():
        click.echo(f"outage: {where}: {what}")
    frozen = [member["name"] for member in status["members"] if member["state"] == "frozen"]
    if frozen:
        click.echo(f"hint: continue {' '.join(frozen)} with: devserver cluster thaw {' '.join(frozen)}")
    if cut := sorted({where.partition(" ")[0] for where in status["outages"]} & {m["name"] for m in status["members"]}):
        click.echo(f"hint: end the outage of the network with: devserver cluster heal {' '.join(cut)}")
    lost = [member["name"] for member in status["members"] if member["state"] == "unreachable"]
    if lost:
        click.echo(f"hint: connect {' '.join(lost)} again with: devserver cluster reconnect {' '.join(lost)}")


def _row(member: dict[str, Any]) -> tuple[str, ...]:
    state = f"{member['state']} ({member['exit']})" if member["exit"] else member["state"]
    metrics = member["ports"].get("metrics")
    address = f"{member['host']}:{member['ports']['grpc']}"
    return (member["name"], state, str(member["pid"] or "-"), address, str(metrics or "-"), member["version"] or "-")
