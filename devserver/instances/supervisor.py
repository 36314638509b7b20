"""The light process that keeps one server: starts it, writes its record, watches leases, ends it.

It runs in the foreground of `devserver up`, or detached for `up -d` and for servers shared by tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import DevServerError, StartFailed
from ..server.launch import Launch
from ..server.log import LOG, log_tail
from ..server.spec import ServerSpec
from ..server.start_errors import last_words
from ..system.filelocks import LockedFile
from ..system.process import ProcessIdentity
from ..system.timefmt import utc_now
from . import leases
from .folder import discard_unkept, lock_path
from .record import CRASHED, READY, STARTING, STOPPED, STOPPING, Record, load, up, write_record

if TYPE_CHECKING:
    from ..database import DatabaseLease

LEASE_POLL_SECONDS = 0.25
ENDING = (signal.SIGTERM, signal.SIGINT)

Tell = Callable[[dict[str, Any]], None]


class Supervisor:
    """Runs one server from its spec until it is told to end, the server ends, or the last lease falls.

    `tell` receives what happens until the server is ready: `{"note": text}`, `{"warn": text}`, `{"ready": record}`.
    `abandoned` says, until then, whether whoever wanted the server is gone.
    """

    def __init__(
        self,
        spec: ServerSpec,
        tell: Tell,
        abandoned: Callable[[], bool] = lambda: False,
        started: int | None = None,
    ) -> None:
        self._spec = spec
        self._tell = tell
        self._ending: int | None = None
        self._lease: DatabaseLease | None = None
        self._launch = Launch(spec, lambda: self._ending is not None or abandoned(), started)
        self._record: Record
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> int | None:
        """Run to the end; the signal that ended it, if one did.

        Raises:
            DevServerError: The server could not be started, or crashed while nobody held it.
        """
        previous = self._listen()
        try:
            self._start()
            self._tell({"ready": self._record.to_json()})
            self._watch()
            return self._ending
        except KeyboardInterrupt:
            self._clean_up(STOPPED)
            raise
        except BaseException as error:
            self._clean_up(CRASHED, str(error).partition("\n")[0])
            raise
        finally:
            self._forget(previous)

    # Signals wake a select instead of interrupting whatever runs.

    def _listen(self) -> dict[int, Any]:
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Whoever was started with nohup is not to be ended by the terminal.
        hung_up = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
        listened = (*ENDING, *hung_up, signal.SIGCHLD)
        previous = {number: signal.signal(number, self._note) for number in listened}
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
        self._write_starting(self._launch.begin().pid)
        self._launch.until_ready()
        self._launch.prepare_namespaces()
        if not spec.options.ephemeral:
            from .. import database

            database.stamp(spec.database, server_version=spec.server_version, cli_version=spec.version)
        self._write(self._record.changed(state=READY))

    def _own_database(self) -> None:
        """Hold the file against other servers, and see that this server may write it."""
        spec = self._spec
        if spec.options.ephemeral:
            return
        from .. import database

        self._lease = database.DatabaseLease.acquire(spec.database, f"instance {spec.name}")
        if spec.database.exists():
            database.refuse_users(spec.database)
        database.prepare(
            spec.database,
            executable=spec.executable,
            server_version=spec.server_version,
            upgrade=spec.options.upgrade,
            backups=spec.backups,
            schemas=spec.schemas,
            note=lambda text: self._tell({"note": text}),
        )

    def _write_starting(self, pid: int) -> None:
        spec = self._spec
        self._write(
            Record(
                name=spec.name,
                state=STARTING,
                supervisor=ProcessIdentity.own(),
                server=ProcessIdentity.of(pid),
                ports=spec.ports,
                options=spec.options,
                version=spec.version,
                server_version=spec.server_version,
                executable=spec.executable,
                database=spec.database,
                namespaces=spec.namespaces,
                held=spec.held,
                linger=spec.linger,
                started_at=utc_now(),
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
            code = self._launch.ended()
            if self._record.state == READY and code is not None:
                self._on_crash(code)
            if self._spec.held:
                unheld_since = self._unheld_since(unheld_since)
                if unheld_since is not None and self._ended_by_leases(unheld_since):
                    return
            elif self._record.state == CRASHED:
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

    def _on_crash(self, code: int) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._write_if_possible(self._latest().changed(state=CRASHED, server=None, exit=how))

    def _finish(self) -> None:
        if self._record.state == READY:
            self._write_if_possible(self._latest().changed(state=STOPPING))
        self._clean_up(STOPPED if self._record.state == STOPPING else CRASHED)

    def _latest(self) -> Record:
        """Our record with what others have added to it since it was written (namespaces)."""
        try:
            there = load(self._spec.folder)
        except (OSError, ValueError, TypeError, KeyError, DevServerError):
            return self._record
        return self._record.changed(namespaces=there.namespaces, options=there.options)

    def _write_if_possible(self, record: Record) -> None:
        """A full disk must not keep a server from being ended."""
        self._record = record
        with contextlib.suppress(DevServerError):
            self._write(record)

    # End

    def _clean_up(self, state: str, why: str | None = None) -> None:
        """End the process and put the house in order; `state` and `why` are what remains written."""
        self._end_process()
        if self._lease is not None:
            self._lease.release()
        discard_unkept(self._spec.folder, self._spec.database, self._spec.options.ephemeral)
        if hasattr(self, "_record") and self._spec.folder.is_dir():
            record = self._latest()
            self._write_if_possible(record.changed(state=state, server=None, exit=record.exit or why))

    def _end_process(self) -> None:
        process = self._launch.process
        identity = None if process is None else ProcessIdentity.of(process.pid)
        if process is None or identity is None:
            return
        if self._spec.options.ephemeral:
            identity.kill()  # nothing is kept, so there is nothing to finish
        else:
            identity.end(self._spec.stop)
        process.wait()


def _crashed(spec: ServerSpec, record: Record) -> DevServerError:
    return StartFailed(
        f"the server of the instance {spec.name} ended by itself ({record.exit})",
        details=last_words(log_tail(spec.folder / LOG)),
        hint=f"{_remains(spec)}; start it again with: {up(spec.name)}",
    )


def _remains(spec: ServerSpec) -> str:
    return "it kept nothing" if spec.options.ephemeral else "what it has acknowledged is in its database"


def main(spec: Mapping[str, Any], pipe: int, started: int | None = None) -> None:
    """The detached process: tells its starter over `pipe` what happens until the server is ready.

    `started` is the server's pid where `boot` has started it.
    """
    channel = _Channel(pipe)
    try:
        Supervisor(ServerSpec.from_json(spec), channel.tell, channel.broken, started).run()
    except DevServerError as error:
        channel.tell({"failed": error.to_json()})
        print(error, file=sys.stderr)  # noqa: T201 - its log
    except KeyboardInterrupt:
        channel.tell({"failed": StartFailed("the start was interrupted").to_json()})


class _Channel:
    """The pipe to the starter, until the server is ready; it breaks when the starter dies."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe
        self._poll = select.poll()
        self._poll.register(pipe, 0)

    def broken(self) -> bool:
        return bool(self._poll.poll(0))

    def tell(self, event: dict[str, Any]) -> None:
        """Raises KeyboardInterrupt where nobody hears that the server is ready: nobody wants it then."""
        if self._pipe is None:
            return
        data = (json.dumps(event) + "\n").encode()
        try:
            while data:
                data = data[os.write(self._pipe, data) :]
        except BrokenPipeError:
            if "ready" in event:
                raise KeyboardInterrupt from None
        if "ready" in event:
            os.close(self._pipe)
            self._pipe = None
