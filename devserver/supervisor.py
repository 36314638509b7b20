"""The light process that keeps one server: starts it, writes its record, watches leases, ends it.

It runs in the foreground of `devserver up`, or detached for `up -d` and for servers shared by tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from . import leases
from .errors import DevServerError
from .launch import Launch, Spec
from .locks import LockedFile
from .process import Identity
from .record import CRASHED, READY, STARTING, STOPPED, STOPPING, Record, log_tail, write_record
from .state import discard_unkept, lock_path

if TYPE_CHECKING:
    from .database import DatabaseLease

LEASE_POLL_SECONDS = 0.25
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Tell = Callable[[dict[str, Any]], None]


class Supervisor:
    """Runs one server from its spec until it is told to end, the server ends, or the last lease falls.

    `tell` receives what happens until the server is ready: `{"note": text}`, `{"warn": text}`, `{"ready": record}`.
    """

    def __init__(self, spec: Spec, tell: Tell) -> None:
        self._spec = spec
        self._tell = tell
        self._ending: int | None = None
        self._lease: DatabaseLease | None = None
        self._launch = Launch(spec, lambda: self._ending is not None)
        self._record: Record
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> int | None:
        """Run to the end; the signal that ended it, if one did.

        Raises:
            DevServerError: The server could not be started, or crashed while nobody held it.
        """
        previous = self._listen()
        try:
            try:
                self._start()
            except BaseException:
                self._clean_up(CRASHED)
                raise
            self._tell({"ready": self._record.to_json()})
            self._watch()
            return self._ending
        finally:
            self._forget(previous)

    # Signals wake a select instead of interrupting whatever runs.

    def _listen(self) -> dict[int, Any]:
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        previous = {number: signal.signal(number, self._note) for number in (*ENDING, signal.SIGCHLD)}
        return {int(number): handler for number, handler in previous.items()}

    def _forget(self, previous: dict[int, Any]) -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._ending = number

    def _sleep(self, seconds: float | None) -> None:
        select.select([self._wake_read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 64):
                pass

    # Start

    def _start(self) -> None:
        spec = self._spec
        self._own_database()
        self._launch.begin()
        self._write_starting()
        self._launch.until_ready()
        self._launch.prepare_namespaces()
        if not spec.options.ephemeral:
            from . import database

            database.stamp(spec.database, server_version=spec.server_version, cli_version=spec.version)
        self._write(self._record.changed(state=READY))

    def _own_database(self) -> None:
        """Hold the file against other servers, and see that this server may write it."""
        spec = self._spec
        if spec.options.ephemeral:
            return
        from . import database

        self._lease = database.DatabaseLease.acquire(spec.database, f"instance {spec.name}")
        if spec.database.exists():
            _refuse_other_users(spec.database)
        database.prepare(
            spec.database,
            executable=spec.executable,
            server_version=spec.server_version,
            upgrade=spec.options.upgrade,
            backups=spec.backups,
            schemas=spec.schemas,
            note=lambda text: self._tell({"note": text}),
        )

    def _write_starting(self) -> None:
        spec = self._spec
        self._write(
            Record(
                name=spec.name,
                state=STARTING,
                supervisor=Identity.own(),
                server=Identity.of(self._launch.process.pid),
                ports=self._launch.ports,
                options=spec.options,
                version=spec.version,
                server_version=spec.server_version,
                executable=spec.executable,
                database=spec.database,
                namespaces=spec.namespaces,
                held=spec.held,
                linger=spec.linger,
                started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            )
        )

    def _write(self, record: Record) -> None:
        write_record(self._spec.folder, record)
        self._record = record

    # Run

    def _watch(self) -> None:
        """Until the end: a signal, the server's own end, or leases all fallen for as long as they may linger."""
        unheld_since: float | None = None
        while self._ending is None:
            self._sleep(LEASE_POLL_SECONDS if self._spec.held else None)
            if self._record.state == READY and self._launch.process.poll() is not None:
                self._on_crash()
            if self._spec.held:
                unheld_since = self._unheld_since(unheld_since)
                if unheld_since is not None and self._ended_by_leases(unheld_since):
                    return
            elif self._record.state == CRASHED:
                self._clean_up(CRASHED)
                raise _crashed(self._spec, self._record)
        self._finish()

    def _unheld_since(self, before: float | None) -> float | None:
        if leases.holders(self._spec.folder):
            return None
        return time.monotonic() if before is None else before

    def _ended_by_leases(self, since: float) -> bool:
        """End under the instance's lock, so that no one can take a lease meanwhile."""
        if time.monotonic() - since < self._spec.linger:
            return False
        lock = LockedFile.attempt(lock_path(self._spec.folder))
        if lock is None:
            return False
        try:
            if leases.holders(self._spec.folder):
                return False
            self._finish()
        finally:
            lock.release(remove=self._record.anonymous)
        return True

    def _on_crash(self) -> None:
        code = self._launch.process.returncode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._write(self._record.changed(state=CRASHED, server=None, exit=how))

    def _finish(self) -> None:
        if self._record.state == READY:
            self._write(self._record.changed(state=STOPPING))
        self._clean_up(STOPPED if self._record.state == STOPPING else CRASHED)

    # End

    def _clean_up(self, state: str) -> None:
        """End the process and put the house in order; `state` is what remains written."""
        self._launch.release_ports()
        self._end_process()
        if self._lease is not None:
            self._lease.release()
        discard_unkept(self._spec.folder, self._spec.database, self._spec.options.ephemeral)
        record = getattr(self, "_record", None)
        if record is not None and self._spec.folder.is_dir():
            with contextlib.suppress(DevServerError):
                self._write(record.changed(state=state, server=None))

    def _end_process(self) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self._launch, "process", None)
        identity = None if process is None else Identity.of(process.pid)
        if process is None or identity is None:
            return
        if self._spec.options.ephemeral:
            identity.kill()  # nothing is kept, so there is nothing to finish
        else:
            identity.end(self._spec.stop)
        process.wait()


def _refuse_other_users(path: Path) -> None:
    from . import database
    from .errors import DatabaseInUse

    users = database.other_users(path)
    if users:
        raise DatabaseInUse(
            f"the database {path} is open in another process",
            details=[f"{name} (pid {pid})" for pid, name in users],
            hint="stop it first, or use another file with --db: two servers on one file damage each other's state",
        )


def _crashed(spec: Spec, record: Record) -> DevServerError:
    from .errors import StartFailed

    return StartFailed(
        f"the server of the instance {spec.name} ended by itself ({record.exit})",
        details=["last lines of its log:", *log_tail(spec.folder / "server.log")],
        hint="what it has acknowledged is in its database; start it again with: devserver up",
    )


def main(spec_path: str, pipe: int) -> None:
    """The detached process: tells its starter over `pipe` what happens until the server is ready."""
    with os.fdopen(pipe, "w") as channel:

        def tell(event: dict[str, Any]) -> None:
            with contextlib.suppress(BrokenPipeError, ValueError):
                channel.write(json.dumps(event) + "\n")
                channel.flush()
            if "ready" in event:
                channel.close()

        spec = Spec.from_json(json.loads(Path(spec_path).read_text()))
        try:
            Supervisor(spec, tell).run()
        except DevServerError as error:
            tell({"failed": error.to_json()})
            print(error, file=sys.stderr)  # noqa: T201 - its log
        except KeyboardInterrupt:
            tell({"failed": DevServerError("the start was interrupted").to_json()})
