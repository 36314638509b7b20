"""What must be true after a kill: no orphan, no record that claims what is not so, no leftover file."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil

from devserver.errors import DevServerError
from devserver.instances.cleanup import tidy
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import ANONYMOUS, READY
from devserver.instances.status import all_statuses

from .home import Home

PATIENCE = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
SERVER = ("server", "start-dev")
TEMPORARY = re.compile(r"\..*\.\d+-[0-9a-f]{8}\.tmp")


def orphans(home: Home, patience: float = PATIENCE) -> list[str]:
    """The command lines of processes that should have ended: all but those of instances that are ready.

    They get `patience` seconds. Those that are found are killed, so that they are counted once.
    """
    deadline = time.monotonic() + patience
    while left := [process for process in home.processes() if process.pid not in _expected(home)]:
        if time.monotonic() >= deadline:
            return [_end(process) for process in left]
        time.sleep(POLL_SECONDS)
    return []


def _end(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())[:300]
        process.kill()
        return f"pid {process.pid}: {words}"
    return f"pid {process.pid}"


def _expected(home: Home) -> set[int]:
    """The processes of ready instances; those of an instance that others must hold only while somebody does."""
    found: set[int] = set()
    for folder in InstanceFolder.all(home.paths):
        with contextlib.suppress(DevServerError):
            record = folder.read_record()
            if record is None or record.server is None or record.state_now() != READY:
                continue
            if not record.held or folder.holders():
                found |= {record.supervisor.pid, record.server.pid}
    return found


def still_stale(home: Home, patience: float = STOP_SECONDS) -> list[str]:
    """What `stale` finds and does not go away: a server whose starter was killed as it got ready is just stopping."""
    deadline = time.monotonic() + patience
    while found := stale(home):
        if time.monotonic() >= deadline:
            return found
        time.sleep(POLL_SECONDS)
    return []


def stale(home: Home) -> list[str]:
    """What `devserver list` and the state folder claim and what is not so. Call it when no command is running.

    Commands clean up after killed processes first, and so does this.
    """
    tidy(home.paths)
    damaged: list[DevServerError] = []
    statuses = all_statuses(home.paths, damaged.append)
    problems = [f"record cannot be read: {error}" for error in damaged]
    alive = {process.pid: process for process in home.processes()}
    claimed: set[int] = set()
    for status in statuses:
        if status["state"] in ("stopped", "crashed"):
            continue
        claimed |= {status["pid"], status["supervisor_pid"]}
        if status["state"] != READY:
            problems.append(f"{status['name']} is {status['state']}")
        if missing := {status["pid"], status["supervisor_pid"]} - alive.keys():
            problems.append(f"{status['name']} claims processes that do not exist: {sorted(map(str, missing))}")
    problems += [
        f"server {pid} belongs to no running instance" for pid in alive.keys() - claimed if _is_server(alive[pid])
    ]
    running = {Path(status["database"]).parent for status in statuses if status["state"] == READY}
    problems += [f"folder of an ended server: {path}" for path in home.ephemeral_folders() if path not in running]
    return [*problems, *_instances(home, alive.keys())]


def _is_server(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return tuple(process.cmdline()[1:3]) == SERVER
    return False


def _instances(home: Home, alive: Collection[int]) -> Iterable[str]:
    instances = home.paths.instances
    for folder in instances.iterdir() if instances.is_dir() else ():
        if not folder.is_dir():
            continue
        holders = InstanceFolder(home.paths, folder.name).holders()
        if gone := set(holders) - set(alive):
            yield f"{folder.name} is held by processes that do not exist: {sorted(gone)}"
        if folder.name.startswith(ANONYMOUS) and not holders:
            yield f"the folder of an ended anonymous instance: {folder}"


def leftovers(home: Home, *patterns: str) -> list[str]:
    """Temporary files of killed processes, below the folders of devserver: our own, and those of `patterns`.

    Call it after the next command, which removes them.
    """
    root = Path(home.environ["DEVSERVER_HOME"])
    found = [path for path in root.rglob(".*.tmp") if TEMPORARY.fullmatch(path.name)]
    for pattern in patterns:
        found += root.rglob(pattern)
    return [f"temporary file left: {path}" for path in sorted(found)]


def words_in(database: Path) -> set[str]:
    """The words of signals in the histories of a database file, read without a server."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: set[str] = set()
        for (data,) in connection.execute("SELECT data FROM history_node"):
            found.update(match.decode() for match in re.findall(rb'"(word-[0-9a-z-]+)"', data))
        for (data,) in connection.execute("SELECT data FROM buffered_events"):
            found.update(match.decode() for match in re.findall(rb'"(word-[0-9a-z-]+)"', data))
    return found


def missing(acknowledged: Collection[str], found: Collection[str]) -> list[str]:
    """One line for the acknowledged words that are not there; none if all are."""
    gone = sorted(set(acknowledged) - set(found))
    return [f"{len(gone)} of {len(acknowledged)} acknowledged signals are gone: {json.dumps(gone[:5])}"] if gone else []
