"""What is done to members of a cluster: `devserver cluster start|stop|restart|kill|freeze|thaw MEMBER...`."""

from __future__ import annotations

import click

from ...cluster import ClusterControl
from ...cluster.declaration import check_version
from ..options.cluster import MEMBERS, cluster_name_option
from ..options.common import json_option
from ..render.cluster import echo_status

LINES = {
    "start": "Start members that do not run, and wait until they listen.",
    "stop": "Stop members gracefully (SIGTERM).",
    "restart": "Stop members and start them again, and wait until they listen.",
    "kill": "Kill members (SIGKILL). They stay down until they are started.",
    "freeze": "Suspend members (SIGSTOP): connections stay open, and nothing is answered.",
    "thaw": "Continue suspended members (SIGCONT).",
}
UPGRADE = """
With --version they run that version of the server from now on: a rolling upgrade, member by member. Update the schema
first (devserver cluster update-schema).
"""

version_option = click.option(
    "--version", metavar="VERSION", help="Version of the Temporal server, from this start on."
)


def act_on_members(kind: str, members: tuple[str, ...], name: str, as_json: bool, **facts: object) -> None:
    """Ask for something to be done to each member, one after the other, and print the status of the cluster."""
    control = ClusterControl(name)
    status = control.ask("status")
    for member in members:
        status = control.ask(kind, member=member, **facts)
    echo_status(status, as_json=as_json)


def _command(kind: str) -> click.Command:
    @click.command(name=kind, help=f"{LINES[kind]}\n\n{MEMBERS}")
    @click.argument("members", metavar="MEMBER...", nargs=-1, required=True)
    @cluster_name_option
    @json_option
    def act(members: tuple[str, ...], name: str, as_json: bool) -> None:
        act_on_members(kind, members, name, as_json)

    return act


def _starting_command(kind: str) -> click.Command:
    @click.command(name=kind, help=f"{LINES[kind]}\n\n{MEMBERS}\n{UPGRADE}")
    @click.argument("members", metavar="MEMBER...", nargs=-1, required=True)
    @cluster_name_option
    @version_option
    @json_option
    def act(members: tuple[str, ...], name: str, version: str | None, as_json: bool) -> None:
        act_on_members(
            kind, members, name, as_json, **({"version": check_version(version)} if version is not None else {})
        )

    return act


stop, kill, freeze, thaw = (_command(kind) for kind in ("stop", "kill", "freeze", "thaw"))
start, restart = (_starting_command(kind) for kind in ("start", "restart"))
