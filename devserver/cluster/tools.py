"""The tools in a cluster's executable, run against any cluster of that version by the address of a frontend."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ..errors import CannotAsk
from ..system.ports import Reservations
from .declaration import Cluster
from .postgres_server import HOST
from .preparation import run_program
from .programs import programs
from .role_config import PORTS, MemberPorts, member_config

TDBG_SECONDS = 5
VALIDATION_SECONDS = 20.0
AFTER_PORT = re.compile(r"(?<=\d)-\d+-[0-9a-f-]{36}\Z")  # of an owner: which shard it is there, and since when
PROBLEM = re.compile(r'dynamic config error\t\{"error": "((?:[^"\\]|\\.)*)"')
WITHOUT_DATABASE = "panic: runtime error"  # of the server when it opens a database of no kind: later
UNREADABLE = "unable to read dynamic config"


def tdbg(executable: Path, address: str, *words: str, limit: int = TDBG_SECONDS) -> Any:
    """What `tdbg` answers, as JSON.

    Raises:
        CannotAsk: It fails, with its last lines, or has no answer within `limit` seconds.
    """
    command = [*programs(executable).tool("tdbg"), "--address", address, "--context-timeout", str(limit), *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit + 2, check=False
        )
        if done.returncode == 0:
            return json.loads(done.stdout)
        lines = [line for line in (done.stderr + done.stdout).splitlines() if "SHOW_STACKS" not in line]
    except subprocess.TimeoutExpired:
        lines = [f"no answer within {limit} s"]
    except (OSError, ValueError) as error:
        lines = [str(error)]
    raise CannotAsk(f"tdbg {' '.join(words)} fails at {address}", details=lines[-3:])


def membership(executable: Path, address: str) -> dict[str, list[str]]:
    """The addresses of the members of each role, as the frontend at `address` knows them by gossip.

    Raises:
        CannotAsk: There is no answer.
    """
    rings = tdbg(executable, address, "membership", "list-gossip")
    return {str(ring["role"]): sorted(str(member["identity"]) for member in ring.get("members", ())) for ring in rings}


def shard_owner(executable: Path, address: str, shard: int) -> str:
    """The address of the history process that has this shard according to the database; empty if none has.

    Raises:
        CannotAsk: There is no answer.
    """
    owner = str(tdbg(executable, address, "shard", "describe", "--shard-id", str(shard)).get("owner", ""))
    return AFTER_PORT.sub("", owner)


def dynamic_config_problem(executable: Path, text: str) -> str | None:
    """Why the server cannot read this dynamic configuration; None if it can.

    The server itself reads it: a role is started on a kind of database that it does not have. It ends at once, before
    it joins anything, because of the one or of the other.

    Raises:
        CannotAsk: It says neither.
    """
    with tempfile.TemporaryDirectory(prefix="dynamic-config-") as folder, Reservations(HOST) as reservations:
        file = Path(folder) / "dynamic.yaml"
        file.write_text(text)
        config = Path(folder) / "worker-1.yaml"
        config.write_text(_without_database(str(file), reservations))
        try:
            environ = {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}
            words = programs(executable).serve(str(config), "worker")
            said = run_program(words, limit=VALIDATION_SECONDS, environ=environ).stdout
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotAsk("the server does not say whether it can read it", details=[str(error)]) from error
    if UNREADABLE not in said:
        if WITHOUT_DATABASE not in said:
            raise CannotAsk("the server does not say whether it can read it", details=said.splitlines()[-3:])
        return None
    return "; ".join(json.loads(f'"{error}"') for error in PROBLEM.findall(said)) or UNREADABLE


def _without_database(dynamic: str, reservations: Reservations) -> str:
    """The configuration of a role with a database of no kind, whose schema the server does not check first."""
    cluster = Cluster()
    ports = {
        member: MemberPorts(**{kind: reservations.take(None, None, "--port") for kind in PORTS})
        for member in cluster.members()
    }
    config = json.loads(member_config(cluster, "worker-1", ports, "", dynamic))
    config["persistence"]["datastores"] = {
        name: {"customDatastore": {"name": "none"}} for name in ("default", "visibility")
    }
    return json.dumps(config)
