"""What is done to members of a cluster: `devserver cluster start|stop|restart|kill|freeze|thaw MEMBER...`."""

from __future__ import annotations

import click

from ...cluster import ClusterControl
from ..options.cluster import cluster_name_option
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
MORE = """
MEMBER is one process, such as history-2 or postgres, or a role (history), which means all its processes.
"""


def _command(kind: str) -> click.Command:
    @click.command(name=kind, help=LINES[kind] + "\n" + MORE)
    @click.argument("members", metavar="MEMBER...", nargs=-1, required=True)
    @cluster_name_option
    @json_option
    def act(members: tuple[str, ...], name: str, as_json: bool) -> None:
        control = ClusterControl(name)
        status = control.ask("status")
        for member in members:
            status = control.ask(kind, member=member)
        echo_status(status, as_json=as_json)

    return act


start, stop, restart, kill, freeze, thaw = (
    _command(kind) for kind in ("start", "stop", "restart", "kill", "freeze", "thaw")
)
