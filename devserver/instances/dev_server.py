"""`DevServer`: start, find and control a dev server from Python."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..config.option_values import DEFAULT_NAME, check_name
from ..database.header import files_of
from ..database.overdue import SHORT_OUTAGE
from ..errors import InstanceNotRunning, InstanceUnknown, StopFailed
from ..system.paths import Paths
from ..system.process import ProcessIdentity
from ..system.progress import Silent
from . import starting, stopping
from .cleanup import tidy
from .folder import InstanceFolder
from .leases import Lease
from .record import ANONYMOUS, STARTING, Record, up_command
from .request import StartRequest
from .server_info import ServerInfo
from .server_keywords import BINARY_KEYWORDS, StartKeywords, binary_request, server_options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..database import Snapshot
    from ..system.progress import Reporter
    from ..system.threads import AsyncStart

START_DEV_RETENTION = timedelta(days=1)


class DevServer(ServerInfo):
    """One dev server: `start` starts or joins it, `attach` finds it.

    As a context manager it releases this process's lease at the end of the block. A server ends with its last lease.
    """

    def __init__(self, record: Record, folder: InstanceFolder, lease: Lease | None = None) -> None:
        super().__init__(record, folder)
        self._lease = lease
        self._holds = lease is not None
        self._ended: tuple[float, object] | None = None  # when, and the files of the database then

    @classmethod
    def start(cls, name: str | None = None, **keywords: Unpack[StartKeywords]) -> DevServer:
        """Start a server, wait until it is ready, and hold it with a lease.

        Without a `name` the server belongs to this process: it takes any free ports and keeps no state. Processes that
        start the same name share one server, which keeps its state. The server ends when no process holds it anymore
        and `linger` has passed, also if this process is killed. With `detach` it runs until it is stopped.

        Args:
            name: The name of the instance.
            keywords: The options of `devserver up`, and `detach`, `linger` and `reporter`; see `StartKeywords`.

        Raises:
            OptionError: A keyword has an invalid value.
            InstanceRunning: An instance of that name runs with other options.
            StartFailed, DatabaseError: The server did not start; the message has the reason.
            BinaryNotFound, ChecksumMismatch, VersionRefused, DownloadFailed: There is no executable to run.
        """
        from .. import executables

        paths = Paths.default()
        given: dict[str, Any] = dict(keywords)
        reporter: Reporter = given.pop("reporter", None) or Silent()
        detach = given.pop("detach", False)
        linger = given.pop("linger", timedelta(0))
        timeout = given.pop("timeout", 30.0)
        pause_schedules = given.pop("pause_schedules", False)
        binary = {key: given.pop(key) for key in BINARY_KEYWORDS if key in given}
        explicit = frozenset(given) | (frozenset(binary) & {"version", "binary"})
        if name is None:
            name = f"{ANONYMOUS}{os.getpid()}-{os.urandom(4).hex()}"
            given.setdefault("ephemeral", "database" not in given)
            given.setdefault("port", 0)
            given.setdefault("retention", START_DEV_RETENTION)  # as the namespace has it already: one call less
        options = server_options(given)  # before anything is downloaded
        request = StartRequest(
            folder=InstanceFolder(paths, check_name(name)),
            options=options,
            executable=executables.ensure(binary_request(binary), paths=paths, reporter=reporter),
            explicit=explicit,
            held=not detach,
            linger=linger.total_seconds(),
            wait=timeout,
            pause_schedules=pause_schedules,
        )
        tidy(paths)
        started = starting.start(request, reporter)
        return cls(started.record, request.folder, started.lease)

    @classmethod
    def start_async(cls, name: str | None = None, **keywords: Unpack[StartKeywords]) -> AsyncStart[DevServer]:
        """`start` without blocking the event loop: `await` it, or use it in `async with`."""
        from ..system.threads import AsyncStart

        return AsyncStart(lambda: cls.start(name, **keywords), cls.close)

    @classmethod
    def attach(cls, name: str = DEFAULT_NAME) -> DevServer:
        """Find the running instance of that name, without a lease. Waits for one that is starting.

        Raises:
            InstanceUnknown: No instance has that name.
            InstanceNotRunning: The instance is not running.
        """
        folder = InstanceFolder(Paths.default(), name)
        record = folder.require_record()
        if record.state_now() == STARTING:
            record = stopping.settled_record(folder)
        if not record.running():
            raise InstanceNotRunning(
                f"the instance {name} is not running ({record.state_now()})",
                hint=f"start it with: {up_command(name)}",
            )
        return cls(record, folder)

    def stop(self) -> None:
        """Stop the server gracefully, also if other processes hold it. Does nothing if it is not running."""
        self._release()
        with contextlib.suppress(InstanceNotRunning, InstanceUnknown):
            stopping.stop(self._folder)

    def kill(self) -> None:
        """Kill the server's process, as a crash does. `restart` brings it back with all acknowledged changes.

        Raises:
            InstanceNotRunning: The server has no process.
            StopFailed: The process does not end.
        """
        server = self._server()
        if not self._record.held:
            self._folder.keep_state(True)  # the supervisor ends with the server and removes an ephemeral database
        server.kill()
        if server.alive():
            raise StopFailed(f"the server (pid {server.pid}) does not end")
        self._ended = time.monotonic(), files_of(self.database)

    def freeze(self) -> None:
        """Suspend the server's process until `thaw`, as an overloaded machine does.

        Raises:
            InstanceNotRunning: The server has no process.
        """
        self._server().freeze()

    def thaw(self) -> None:
        """Resume a frozen process.

        Raises:
            InstanceNotRunning: The server has no process.
        """
        self._server().signal(signal.SIGCONT)

    def restart(self, *, down: timedelta = timedelta(0)) -> None:
        """Stop the server, and start it with the same ports and state after `down`.

        Raises:
            StartFailed, DatabaseError: The server did not start again; the message has the reason.
        """
        running = self.running
        stopping.stop(self._folder, keep=True)
        if running:
            self._ended = time.monotonic(), files_of(self.database)
        time.sleep(down.total_seconds())
        if self._holds and self._lease is None:  # `stop` released our lease, and without one the server ends again
            self._lease = self._folder.take_lease()
        self._record = starting.start_again(self._folder, just_ended=self._just_ended())

    def snapshot(self, name: str | None = None) -> Snapshot:
        """Save the server's state while it is running. `name` defaults to the time.

        Raises:
            SnapshotExists: A snapshot with that name exists already.
        """
        from .. import database

        folder = self._folder.paths.snapshots(self.name)
        return database.snapshots.save(
            self.database,
            folder,
            name,
            server_version=self.server_version,
            cli_version=self.version,
            instance=self.name,
        )

    def _just_ended(self) -> bool:
        """Whether the server ran a moment ago, and nobody has touched its database since."""
        if self._ended is None or time.monotonic() - self._ended[0] > SHORT_OUTAGE:
            return False
        return self._ended[1] == files_of(self.database)

    def _server(self) -> ProcessIdentity:
        server = self._current().server
        if server is None or not server.alive():
            raise InstanceNotRunning(f"the server of the instance {self.name} is not running", hint="restart it")
        return server

    def close(self, *, linger: bool = True) -> None:
        """Release this process's lease. The server ends with its last lease, unless it lingers or was detached.

        With `linger=False` it does not linger after this lease.
        """
        if self._lease is None:
            return
        self._release()
        record = self._current()
        if record.held and not (linger and record.linger) and not self._folder.holders():
            with contextlib.suppress(InstanceNotRunning, InstanceUnknown):
                stopping.stop_if_unheld(self._folder)

    def _release(self) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def __enter__(self) -> DevServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<DevServer {self.name} at {self.address}>"
