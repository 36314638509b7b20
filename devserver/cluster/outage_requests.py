"""Outages of a cluster other than those of its processes, as its supervisor is asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import full_disk
from .database_links import DatabaseLinks
from .declaration import DATABASE
from .errors import MemberUnknown
from .folder import ClusterFolder
from .member import ClusterMember

KINDS = ("cut", "slow", "heal", "fill_disk", "free_disk")


def perform(
    request: dict[str, Any], members: Sequence[ClusterMember], links: DatabaseLinks, folder: ClusterFolder
) -> None:
    """Do what is asked to the members.

    `cut` (with `how`), `slow` (with `by`, seconds) and `heal`: the network between these members and the database.
    `fill_disk` and `free_disk`: the disk of the database.

    Raises:
        OptionError: It cannot be done here; says why.
    """
    kind = request["kind"]
    names = [member.name for member in members]
    if kind == "cut":
        links.cut(names, str(request["how"]))
    elif kind == "slow":
        links.slow(names, float(request["by"]))
    elif kind == "heal":
        links.heal(names)
    elif names != [DATABASE]:
        raise MemberUnknown(f"only the disk of {DATABASE} can be full", hint=f"give {DATABASE} as the member")
    else:
        pids = [process.pid for process in members[0].processes()]
        (full_disk.fill if kind == "fill_disk" else full_disk.free)(folder, pids)


def outages(links: DatabaseLinks, folder: ClusterFolder) -> dict[str, str]:
    """What is in an outage beyond processes: `history-1 to the database`, `disk of the database`."""
    cut = {f"{member} to the database": what for member, what in links.outages.items()}
    return {**cut, **({"disk of the database": "full"} if full_disk.is_full(folder) else {})}
