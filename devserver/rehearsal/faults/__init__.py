"""What can be broken under a runbook; each is an action of a plan."""

from .activity import fail_activity, hang_activity, slow_activity
from .server import freeze_server, kill_server, stop_server
from .worker import freeze_worker, kill_worker, lose_answer

__all__ = [
    "fail_activity",
    "freeze_server",
    "freeze_worker",
    "hang_activity",
    "kill_server",
    "kill_worker",
    "lose_answer",
    "slow_activity",
    "stop_server",
]
