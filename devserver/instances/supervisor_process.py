"""The process of a detached supervisor: started, waited for until its server is ready, ended."""

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
from ..server.log import begin_log
from ..server.spec import ServerSpec
from ..system.files import write_private
from ..system.progress import Reporter
from ..system.spawn import above_streams, close_others
from . import supervisor_pipe
from .folder import InstanceFolder
from .record import Record

MAIN = Path(__file__).with_name("supervisor_main.py")
STOP_SECONDS = 10.0
SPARE_SECONDS = 5.0
ORPHAN_STOP_SECONDS = 5.0

# The supervisor starts without `site`, which is twice as fast, and gets the module search path of its starter.
PYTHON_OPTIONS = ("-S", "-E")


def spawn(spec: ServerSpec, folder: InstanceFolder, reporter: Reporter, *, fork: bool = False) -> Record:
    """Start a supervisor and wait until its server is ready. The supervisor limits the start itself.

    Args:
        spec: The server.
        folder: The instance.
        reporter: Receives notes and warnings.
        fork: Make the supervisor a copy of this process, which saves starting Python and importing modules. Only for a
            process that has no other threads and ends soon, such as our command line.

    Raises:
        StartFailed, DatabaseError: The error that the supervisor reports.
    """
    write_private(folder.spec_file, json.dumps(spec.to_json()))
    begin_log(spec.log, spec.version, spec.server_version)
    read, write = (above_streams(end) for end in os.pipe())
    with os.fdopen(read) as events:
        try:
            (_fork if fork and threading.active_count() == 1 else _execute)(spec, folder, write)
        finally:
            os.close(write)
        return _await_ready(events, folder, reporter)


def _execute(spec: ServerSpec, folder: InstanceFolder, pipe: int) -> None:
    # Our own folder comes last: it may be site-packages, whose backports must not shadow the standard library.
    here = str(Path(__file__).parent.parent.parent)
    search = [*(str(Path(entry).absolute()) for entry in sys.path if entry), here]
    command = [
        sys.executable,
        *PYTHON_OPTIONS,
        str(MAIN),
        str(folder.spec_file),
        str(pipe),
        json.dumps(search),
    ]
    if spec.at_once:
        command += [str(spec.log), *spec.command]
    with os.fdopen(_open_log(folder), "w") as log:
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


def _fork(spec: ServerSpec, folder: InstanceFolder, pipe: int) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:  # this is another process now and must never return to the caller
        os.setsid()
        if os.fork() == 0:
            _become_supervisor(spec, folder, pipe)
    finally:
        os._exit(0)


def _become_supervisor(spec: ServerSpec, folder: InstanceFolder, pipe: int) -> None:
    os.chdir("/")
    log = _open_log(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = os.dup(pipe)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    close_others(kept)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    try:
        supervisor_pipe.run_detached(spec.to_json(), kept)
    except Exception:  # noqa: BLE001 - no caller is left: the traceback goes to the supervisor's log
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()


def _open_log(folder: InstanceFolder) -> int:
    return os.open(folder.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class _Children:
    """The supervisors that this process started. They are reaped when they end; exit waits for none of them."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def add(self, process: subprocess.Popen[bytes]) -> None:
        self.reap()
        self._processes.append(process)

    def reap(self) -> None:
        self._processes = [process for process in self._processes if process.poll() is None]


_CHILDREN = _Children()


def _await_ready(events: Iterable[str], folder: InstanceFolder, reporter: Reporter) -> Record:
    for line in events:
        event = json.loads(line)
        report(event, reporter)
        if "ready" in event:
            return Record.from_json(event["ready"])
        if "failed" in event:
            raise DevServerError.from_json(event["failed"])
    output = folder.supervisor_log.read_text() if folder.path.is_dir() else ""
    raise StartFailed(
        f"the supervisor of the instance {folder.name} ended before the server was ready",
        details=output.strip().splitlines()[-6:],
        hint="run devserver doctor",
    )


def report(event: Mapping[str, Any], reporter: Reporter) -> None:
    """Pass the notes and warnings of a supervisor on to a reporter."""
    if "note" in event:
        reporter.note(str(event["note"]))
    if "warn" in event:
        reporter.warn(str(event["warn"]))


def end_supervisor(record: Record) -> None:
    """Ask the supervisor to end, and kill it if it hangs. It limits the server's graceful stop itself."""
    record.supervisor.signal(signal.SIGTERM)
    record.supervisor.signal(signal.SIGCONT)
    if not record.supervisor.wait_gone(STOP_SECONDS + SPARE_SECONDS):
        record.supervisor.kill()
    _CHILDREN.reap()


def end_orphans(record: Record) -> None:
    """End a server whose supervisor was killed. On Linux it has ended already, with its supervisor.

    Raises:
        StopFailed: The supervisor is alive, or the server does not end.
    """
    if record.supervised():
        raise StopFailed(f"the supervisor of the instance {record.name} (pid {record.supervisor.pid}) does not end")
    if record.server is not None and record.server.alive():
        record.server.end(ORPHAN_STOP_SECONDS)
        if record.server.alive():
            raise StopFailed(f"the server of the instance {record.name} (pid {record.server.pid}) does not end")
