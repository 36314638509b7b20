"""What can be broken under a runbook; each is an action of a plan."""

from .activity import fail_activity, hang_activity, slow_activity
from .network import cut_network, reset_network, slow_network
from .server import freeze_server, kill_server, stop_server
from .worker import freeze_worker, kill_worker, lose_answer, replace_worker

__all__ = [
    "cut_network",
    "fail_activity",
    "freeze_server",
    "freeze_worker",
    "hang_activity",
    "kill_server",
    "kill_worker",
    "lose_answer",
    "replace_worker",
    "reset_network",
    "slow_activity",
    "slow_network",
    "stop_server",
]
