"""Faults: what can be broken while a runbook runs. Each is an action of a plan."""

from . import cluster, database
from .activity import fail_activity, hang_activity, slow_activity
from .clock import advance_clock
from .disk import fill_disk, lock_database
from .network import cut_network, reset_network, slow_network
from .node import node
from .server import freeze_server, kill_server, stop_server
from .server_database import lose_database, restore_database, snapshot_database
from .worker import freeze_worker, kill_worker, lose_answer, replace_worker

__all__ = [
    "advance_clock",
    "cluster",
    "cut_network",
    "database",
    "fail_activity",
    "fill_disk",
    "freeze_server",
    "freeze_worker",
    "hang_activity",
    "kill_server",
    "kill_worker",
    "lock_database",
    "lose_answer",
    "lose_database",
    "node",
    "replace_worker",
    "reset_network",
    "restore_database",
    "slow_activity",
    "slow_network",
    "snapshot_database",
    "stop_server",
]
