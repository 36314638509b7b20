"""Starts a supervisor of its own process, and ends one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DevServerError, StartFailed, StopFailed
from ..server.spec import ServerSpec
from ..system.files import write_private
from ..system.progress import Reporter
from . import supervisor
from .folder import begin_log
from .record import Record

SUPERVISOR_LOG = "supervisor.log"
SPEC = "spec.json"
ENTRY = Path(__file__).with_name("supervisor_main.py")
STOP_SECONDS = 10.0
SPARE_SECONDS = 5.0

# The supervisor starts without `site` (twice as fast) and finds its modules where its starter found them.
PYTHON_OPTIONS = ("-S", "-E")


def spawn(spec: ServerSpec, reporter: Reporter, *, fork: bool = False) -> Record:
    """Start the supervisor and wait for its word; it limits itself, and its pipe closes when it dies.

    `fork` makes it a copy of this process, which saves loading Python and its modules once more; only for a process
    that has no other threads and ends soon, such as our CLI.

    Raises:
        StartFailed and its kin: What the supervisor says.
    """
    write_private(spec.folder / SPEC, json.dumps(spec.to_json()))
    begin_log(spec.log, spec.version, spec.server_version)
    read, write = os.pipe()
    with os.fdopen(read) as events:
        try:
            (_fork if fork and threading.active_count() == 1 else _execute)(spec, write)
        finally:
            os.close(write)
        return _await_ready(events, spec, reporter)


def _execute(spec: ServerSpec, pipe: int) -> None:
    here = str(Path(__file__).parent.parent.parent)
    search = [here, *(str(Path(entry).absolute()) for entry in sys.path if entry)]
    command = [
        sys.executable,
        *PYTHON_OPTIONS,
        str(ENTRY),
        str(spec.folder / SPEC),
        str(pipe),
        json.dumps(search),
    ]
    if spec.at_once:
        command += [str(spec.log), *spec.command]
    with os.fdopen(_open_log(spec), "w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            pass_fds=[pipe],
            start_new_session=True,
        )
    _CHILDREN.add(process)


def _fork(spec: ServerSpec, pipe: int) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:  # from here on we are another process and must never return to the caller
        os.setsid()
        if os.fork() == 0:
            _become_supervisor(spec, pipe)
    finally:
        os._exit(0)


def _become_supervisor(spec: ServerSpec, pipe: int) -> None:
    os.chdir("/")
    log = _open_log(spec)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    kept = os.dup(pipe)
    os.closerange(3, kept)
    os.closerange(kept + 1, 256)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    try:
        supervisor.main(spec.to_json(), kept)
    except Exception:  # noqa: BLE001 - nobody above us: its log is where it is read
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()


def _open_log(spec: ServerSpec) -> int:
    return os.open(spec.folder / SUPERVISOR_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class _Children:
    """Supervisors that this process started: they are reaped when they end, and none is waited for at exit."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def add(self, process: subprocess.Popen[bytes]) -> None:
        self.reap()
        self._processes.append(process)

    def reap(self) -> None:
        self._processes = [process for process in self._processes if process.poll() is None]


_CHILDREN = _Children()


def _await_ready(events: Iterable[str], spec: ServerSpec, reporter: Reporter) -> Record:
    for line in events:
        event = json.loads(line)
        pass_on(event, reporter)
        if "ready" in event:
            return Record.from_json(event["ready"])
        if "failed" in event:
            raise DevServerError.from_json(event["failed"])
    said = (spec.folder / SUPERVISOR_LOG).read_text() if spec.folder.is_dir() else ""
    raise StartFailed(
        f"the supervisor of the instance {spec.name} ended before the server was ready",
        details=said.strip().splitlines()[-6:],
        hint="run devserver doctor",
    )


def pass_on(event: Mapping[str, Any], reporter: Reporter) -> None:
    """Let a person see what a supervisor tells before it is ready."""
    if "note" in event:
        reporter.note(str(event["note"]))
    if "warn" in event:
        reporter.warn(str(event["warn"]))


def end_supervisor(record: Record) -> None:
    """Ask it to end; it limits the server's graceful stop itself. A supervisor that hangs is killed."""
    record.supervisor.signal(signal.SIGTERM)
    record.supervisor.signal(signal.SIGCONT)
    if not record.supervisor.wait_gone(STOP_SECONDS + SPARE_SECONDS):
        record.supervisor.kill()
    _CHILDREN.reap()


def end_orphans(record: Record) -> None:
    """A server whose supervisor was killed ends with it on Linux; elsewhere it is ended here."""
    if record.supervised():
        raise StopFailed(f"the supervisor of the instance {record.name} (pid {record.supervisor.pid}) does not end")
    if record.server is not None and record.server.alive():
        record.server.end(5.0)
        if record.server.alive():
            raise StopFailed(f"the server of the instance {record.name} (pid {record.server.pid}) does not end")
