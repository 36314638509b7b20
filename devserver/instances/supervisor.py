"""The supervisor: the light process that starts one server, writes its record, watches leases and ends it.

It runs in the foreground of `devserver up`, or detached for `up -d` and for servers that tests share.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DevServerError, StartFailed
from ..server.launch import Launch
from ..server.log import bound_log
from ..server.spec import ServerSpec
from ..server.start_errors import explain_crash
from ..system.filelocks import LockedFile
from ..system.signals import SignalWaiter
from . import ephemeral_database
from .folder import InstanceFolder
from .own_database import own_database, settle_overdue
from .record import CRASHED, READY, STOPPED, STOPPING, Record, down_command, up_command

if TYPE_CHECKING:
    from ..database import DatabaseLease, Overdue
    from ..network.tls_front import TlsFront

LEASE_POLL_SECONDS = 0.25
LOG_POLL_SECONDS = 5.0
LOOK_SECONDS = 1.0
NO_SCHEDULES = "worker.perNamespaceWorkerCount=0"  # the workers in the server that run schedules
LOCK_SECONDS = 3.0  # more than the moment for which another process looks whether the lock is held


class Supervisor:
    """Runs one server until a signal, the server's own end, or the end of the last lease.

    Args:
        spec: The server.
        on_event: Receives what happens until the server is ready: `{"note": text}`, `{"warn": text}`,
            `{"ready": record}`.
        abandoned: Whether the process that asked for the server has ended; asked until the server is ready.
        started: The pid of the server if it was started already.
        on_look: Called every second while the server is ready.
    """

    def __init__(
        self,
        spec: ServerSpec,
        on_event: Callable[[dict[str, Any]], None],
        abandoned: Callable[[], bool] = lambda: False,
        started: int | None = None,
        on_look: Callable[[], None] | None = None,
    ) -> None:
        self._spec = spec
        self._folder = InstanceFolder(spec.paths, spec.name)
        self._on_event = on_event
        self._on_look = on_look
        self._signals = SignalWaiter()
        self._database_lease: DatabaseLease | None = None
        self._is_interrupted = lambda: self._signals.ending is not None or abandoned()
        self._launch = Launch(spec, self._is_interrupted, started)
        self._record: Record | None = None
        self._lock: LockedFile | None = None
        self._folder_lock: LockedFile | None = None
        self._overdue: Overdue | None = None
        self._to_pause: list[tuple[str, str]] = []
        self._tls_front: TlsFront | None = None

    def run(self) -> int | None:
        """Run the server to its end.

        Returns:
            The signal that ended it, if one did.

        Raises:
            DevServerError: The server did not start, or crashed while no process held it.
        """
        self._signals.listen()
        try:
            record = self._start()
            self._on_event({"ready": record.to_json()})
            self._watch()
            return self._signals.ending
        except KeyboardInterrupt:
            if self._state() == READY:  # its starter has just died: nobody may join a server that stops
                self._write_if_possible(state=STOPPING)
            self._clean_up(STOPPED)
            raise
        except BaseException as error:
            self._clean_up(CRASHED, str(error).partition("\n")[0])
            raise
        finally:
            self._signals.close()

    # Start

    def _start(self) -> Record:
        spec = self._spec
        self._lock = LockedFile.acquire(self._folder.supervisor_lock, str(os.getpid()), limit=LOCK_SECONDS)
        if self._lock is None:
            holder = self._folder.supervisor_lock.read_text().strip()
            raise StartFailed(
                f"another process (pid {holder}) runs the instance {spec.name}",
                hint=f"stop it where it runs ({down_command(spec.name)}), or choose another name with --name",
            )
        if spec.options.ephemeral:
            self._folder_lock = ephemeral_database.hold(spec.database)
        self._prepare_database()
        if self._to_pause:
            self._pause_schedules()
        record = Record.starting(spec, self._launch.begin().pid, self._overdue)
        self._write(record)
        self._launch.until_ready()
        self._launch.prepare_namespaces(lambda text: self._on_event({"warn": text}))
        self._launch.until_paused(self._to_pause)
        if not spec.options.ephemeral:
            from .. import database

            database.stamp(spec.database, server_version=spec.server_version, cli_version=spec.version)
        if spec.ports.tls is not None:
            from .tls import serve_tls

            self._tls_front = serve_tls(self._folder, spec.options, spec.ports)
        record = record.changed(state=READY)
        self._write(record)
        return record

    def _pause_schedules(self) -> None:
        """Pause schedules on a server that runs none: a workflow task that waited when the last server stopped would
        act at once.
        """
        command = (*self._spec.command, "--dynamic-config-value", NO_SCHEDULES)
        launch = Launch(replace(self._spec, command=command), self._is_interrupted)
        process = launch.begin()
        try:
            self._write(Record.starting(self._spec, process.pid, self._overdue))
            launch.until_ready()
            launch.pause_schedules(self._to_pause)
        finally:
            launch.end()

    def _prepare_database(self) -> None:
        """Own the database, upgrade it if this server is newer than the last one, and report what came due in it."""
        if not self._spec.options.ephemeral:
            self._database_lease = own_database(self._spec, self._on_event)
        if not self._spec.at_once:
            self._overdue, self._to_pause = settle_overdue(self._spec, self._on_event)

    def _write(self, record: Record) -> None:
        self._folder.write_record(record)
        self._record = record

    # Run

    def _watch(self) -> None:
        """Wait for the end: a signal, the server's own end, or no lease for as long as the server lingers."""
        unheld_since: float | None = None
        look_at_log = time.monotonic() + LOG_POLL_SECONDS
        pause = LEASE_POLL_SECONDS if self._spec.held else LOOK_SECONDS if self._on_look else LOG_POLL_SECONDS
        while self._signals.ending is None:
            self._signals.sleep(pause)
            if self._on_look is not None and self._signals.ending is None and self._state() == READY:
                self._on_look()
            if time.monotonic() >= look_at_log:
                bound_log(self._spec.log)
                look_at_log = time.monotonic() + LOG_POLL_SECONDS
            code = self._launch.ended()
            if code is not None and self._state() == READY:
                self._on_crash(code)
            if self._spec.held:
                unheld_since = self._unheld_since(unheld_since)
                if unheld_since is not None and self._ended_by_leases(unheld_since):
                    return
            elif self._state() == CRASHED:
                raise self._crashed()
        self._finish()

    def _state(self) -> str | None:
        return None if self._record is None else self._record.state

    def _unheld_since(self, before: float | None) -> float | None:
        if self._folder.holders():
            return None
        return time.monotonic() if before is None else before

    def _ended_by_leases(self, since: float) -> bool:
        """End with the instance's lock held, so that no process can take a lease meanwhile."""
        if time.monotonic() - since < self._spec.linger:
            return False
        with self._folder.try_lock() as locked:
            if not locked or self._folder.holders():
                return False
            self._finish()
        return True

    def _on_crash(self, code: int) -> None:
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._write_if_possible(state=CRASHED, server=None, exit=reason)

    def _finish(self) -> None:
        if self._state() == READY:
            self._write_if_possible(state=STOPPING)
        self._clean_up(STOPPED if self._state() == STOPPING else CRASHED)

    def _write_if_possible(self, **changes: Any) -> None:
        """Change the record. A full disk must not keep a server from being ended."""
        if self._record is None:
            return
        self._record = self._with_additions(self._record).changed(**changes)
        with contextlib.suppress(DevServerError):
            self._folder.write_record(self._record)

    def _with_additions(self, record: Record) -> Record:
        """The record with the namespaces that other processes have added since we wrote it."""
        with contextlib.suppress(DevServerError):
            written = self._folder.read_record()
            if written is not None:
                return record.changed(namespaces=written.namespaces, options=written.options)
        return record

    # End

    def _clean_up(self, state: str, reason: str | None = None) -> None:
        """End the server, remove what is not kept, and write the last state of the instance."""
        if self._tls_front is not None:
            self._tls_front.close()
        self._launch.end()
        if self._database_lease is not None:
            self._database_lease.release()
        self._folder.remove_state(self._spec.database, ephemeral=self._spec.options.ephemeral)
        if self._record is not None and self._folder.path.is_dir():
            self._write_if_possible(state=state, server=None, exit=self._record.exit or reason)
        for lock in (self._folder_lock, self._lock):
            if lock is not None:
                lock.release()

    def _crashed(self) -> DevServerError:
        reason = self._record.exit if self._record else None
        return explain_crash(self._spec, reason, up_command(self._spec.name))
