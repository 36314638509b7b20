"""The library's door: start, find and handle a dev server from Python."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict

from ..config.server_options import DEFAULT_NAME, ServerOptions, check_name
from ..errors import InstanceNotRunning, InstanceUnknown, OptionError, StopFailed
from ..system.paths import Paths
from ..system.process import ProcessIdentity
from . import leases, lifecycle
from .cleanup import tidy
from .folder import mark_keep
from .leases import Lease
from .record import ANONYMOUS, STARTING, Record, read_record

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..database import Snapshot
    from ..executables.models import BinaryRequest
    from ..system.progress import Reporter

STOCK_RETENTION = timedelta(days=1)


class ServerKeywords(TypedDict, total=False):
    """Every option of `devserver up`, typed. What is left out takes the command's default.

    `dynamic_config` maps a key to a value that JSON can hold; `search_attributes` a name to a type (`Keyword`);
    `wait` is in seconds.
    """

    version: str
    binary: str | os.PathLike[str]
    source: str
    offline: bool
    base_url: str
    require_pinned: bool
    accept_sha256: str
    port: int
    http_port: int
    ui_port: int
    metrics_port: int
    ui: bool
    namespaces: Sequence[str]
    search_attributes: Mapping[str, str]
    dynamic_config: Mapping[str, Any]
    tuning: str
    database: str | os.PathLike[str]
    ephemeral: bool
    durable: bool
    upgrade: bool
    retention: timedelta
    bind: str
    allow_remote: bool
    log_level: str
    ui_codec_endpoint: str
    wait: float


_BINARY_KEYS = ("version", "binary", "source", "offline", "base_url", "require_pinned", "accept_sha256")


class DevServer:
    """One dev server, seen from this process: `start` makes or joins one, `attach` finds one.

    As a context manager it gives up this process's hold at the end of the block; the server ends with its last hold.
    """

    def __init__(self, record: Record, paths: Paths, lease: Lease | None = None) -> None:
        self._record = record
        self._paths = paths
        self._lease = lease
        self._holds = lease is not None

    # Making and finding

    @classmethod
    def start(
        cls,
        name: str | None = None,
        *,
        detach: bool = False,
        linger: timedelta = timedelta(0),
        reporter: Reporter | None = None,
        **options: Unpack[ServerKeywords],
    ) -> DevServer:
        """Have a server running and ready, and hold it.

        Without a `name` the server is this process's alone: any free ports, nothing kept. With one, processes that
        start the same name share the server, and it keeps its state. It ends, even if we are killed, when nobody
        holds it and `linger` has passed; with `detach` it is not held and runs until it is stopped.

        Raises:
            OptionError: A keyword's value cannot be used.
            InstanceRunning: One of that name runs with other options.
            StartFailed: It did not start; the message says why.
            BinaryNotFound, ChecksumMismatch, VersionRefused: There is no executable to start.
        """
        from .. import executables

        paths = Paths.default()
        given: dict[str, Any] = dict(options)
        wait = given.pop("wait", 30.0)
        binary = {key: given.pop(key) for key in _BINARY_KEYS if key in given}
        explicit = frozenset(given) | (frozenset(binary) & {"version", "binary"})
        if name is None:
            name = f"{ANONYMOUS}{os.getpid()}-{os.urandom(4).hex()}"
            given.setdefault("ephemeral", "database" not in given)
            given.setdefault("port", 0)
            given.setdefault("retention", STOCK_RETENTION)  # of no matter here, and one call less
        wanted = _server_options(given)  # before anything is fetched
        request = lifecycle.Request(
            name=check_name(name),
            options=wanted,
            executable=executables.ensure(_binary_request(binary), paths=paths, **_reporting(reporter)),
            explicit=explicit,
            held=not detach,
            linger=linger.total_seconds(),
            wait=wait,
        )
        tidy(paths)
        started = lifecycle.start(request, paths, reporter)
        return cls(started.record, paths, started.lease)

    @classmethod
    def start_async(
        cls,
        name: str | None = None,
        *,
        detach: bool = False,
        linger: timedelta = timedelta(0),
        reporter: Reporter | None = None,
        **options: Unpack[ServerKeywords],
    ) -> AsyncStart:
        """`start` without blocking the event loop: `await` it, or use it in `async with`."""

        def begin() -> DevServer:
            return cls.start(name, detach=detach, linger=linger, reporter=reporter, **options)

        return AsyncStart(begin)

    @classmethod
    def attach(cls, name: str = DEFAULT_NAME) -> DevServer:
        """The running instance of that name; it is not held by us. One that starts just now is waited for.

        Raises:
            InstanceUnknown: It never ran.
            InstanceNotRunning: It does not run now.
        """
        paths = Paths.default()
        record = lifecycle.known(paths, name)
        if record.state_now() == STARTING:
            record = lifecycle.started(paths, name)
        if not record.running():
            raise InstanceNotRunning(
                f"the instance {name} is not running ({record.state_now()})",
                hint=f"start it with: {lifecycle.up(name)}",
            )
        return cls(record, paths)

    # What it is

    @property
    def name(self) -> str:
        """The instance's name; one that begins with `~` is its holder's alone."""
        return self._record.name

    @property
    def address(self) -> str:
        """`host:port` for `Client.connect`."""
        return self._record.address

    @property
    def namespace(self) -> str:
        """The first namespace asked for, else `default`."""
        return self._record.namespace

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces that were ensured."""
        return self._record.namespaces

    @property
    def ui_url(self) -> str | None:
        """The Web UI's address, None where it is off."""
        return self._record.ui_url

    @property
    def http_url(self) -> str:
        """Where Temporal's HTTP API answers."""
        return self._record.http_url

    @property
    def metrics_url(self) -> str:
        """Where Prometheus reads the server's metrics."""
        return self._record.metrics_url

    @property
    def version(self) -> str:
        """The executable's version (the Temporal CLI's), as `1.9.1`."""
        return self._record.version

    @property
    def server_version(self) -> str:
        """The server's version, as `1.32.0`."""
        return self._record.server_version

    @property
    def executable(self) -> Path:
        """The executable it runs on."""
        return self._record.executable

    @property
    def database(self) -> Path:
        """The SQLite file that holds its state."""
        return self._record.database

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._paths.instance(self.name) / "server.log"

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        server = self._current().server
        return server.pid if server is not None and server.alive() else None

    @property
    def running(self) -> bool:
        """Whether the server's process is there (a frozen one is)."""
        return self._current().running()

    def _current(self) -> Record:
        return read_record(self._paths, self.name) or self._record.changed(state="stopped", server=None)

    # What can be done to it

    def stop(self) -> None:
        """Stop it gracefully, whoever holds it. Stopping a stopped server does nothing."""
        self._release()
        with contextlib.suppress(InstanceNotRunning, InstanceUnknown):
            lifecycle.stop(self._paths, self.name)

    def kill(self) -> None:
        """End its process at once, as a crash would. `restart` brings it back with all it had acknowledged.

        Raises:
            InstanceNotRunning: There is no process.
        """
        server = self._server()
        if not self._record.held:
            mark_keep(self._paths.instance(self.name), True)  # else an ephemeral one's supervisor tidies up
        server.kill()
        if server.alive():
            raise StopFailed(f"the server (pid {server.pid}) does not end")

    def freeze(self) -> None:
        """Stop its process from running until `thaw`, as an overloaded machine would."""
        self._server().freeze()

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._server().signal(signal.SIGCONT)

    def restart(self, *, down: timedelta = timedelta(0)) -> None:
        """Stop it (if it runs) and start it on the same ports and state, `down` later.

        Raises:
            StartFailed and its kin: It did not come back; says why.
        """
        import time

        lifecycle.stop(self._paths, self.name, keep=True)
        time.sleep(down.total_seconds())
        if self._holds and self._lease is None:  # `stop` gave our hold up, and without one it would end again
            self._lease = Lease.take(self._paths.instance(self.name))
        self._record = lifecycle.start_again(self._paths, self.name)

    def snapshot(self, name: str | None = None) -> Snapshot:
        """Save its state while it runs; `name` defaults to the time.

        Raises:
            SnapshotExists: There is one of that name.
        """
        from .. import database

        folder = self._paths.snapshots(self.name)
        return database.snapshots.save(
            self.database,
            folder,
            name,
            server_version=self.server_version,
            cli_version=self.version,
            instance=self.name,
        )

    def _server(self) -> ProcessIdentity:
        server = self._current().server
        if server is None or not server.alive():
            raise InstanceNotRunning(f"the server of the instance {self.name} is not running", hint="restart it")
        return server

    # Holding it

    def close(self) -> None:
        """Give up our hold. The last one to do so ends the server, unless it lingers or was detached."""
        if self._lease is None:
            return
        self._release()
        folder = self._paths.instance(self.name)
        record = self._current()
        if record.held and record.linger == 0 and not leases.holders(folder):
            with contextlib.suppress(InstanceNotRunning, InstanceUnknown):
                lifecycle.stop_unheld(self._paths, self.name)

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


class AsyncStart:
    """What `DevServer.start_async` returns: awaitable, and an async context manager."""

    def __init__(self, begin: Callable[[], DevServer]) -> None:
        self._begin = begin
        self._server: DevServer | None = None

    def __await__(self) -> Generator[Any, None, DevServer]:
        return self._start().__await__()

    async def _start(self) -> DevServer:
        import asyncio

        starting = asyncio.ensure_future(asyncio.to_thread(self._begin))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])  # a thread cannot be cancelled: what it has started must end
            if starting.exception() is None:
                await asyncio.to_thread(starting.result().close)
            raise

    async def __aenter__(self) -> DevServer:
        self._server = await self
        return self._server

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import asyncio

        if self._server is not None:
            await asyncio.to_thread(self._server.close)


def _reporting(reporter: Reporter | None) -> dict[str, Any]:
    return {} if reporter is None else {"reporter": reporter}


def _binary_request(given: dict[str, Any]) -> BinaryRequest:
    """Which executable: the keywords over what pyproject and environment say."""
    from ..config.settings import Settings
    from ..executables import BinaryRequest

    binary = given.get("binary")
    return BinaryRequest.of(Settings.load(), **given | {"binary": None if binary is None else Path(binary)})


def _server_options(given: dict[str, Any]) -> ServerOptions:
    try:
        return ServerOptions(**{key: _READ.get(key, _as_it_is)(value) for key, value in given.items()})
    except (TypeError, ValueError, AttributeError) as error:
        raise OptionError(
            f"an option of DevServer.start is not known or has the wrong type: {error}",
            hint="the keywords are those of devserver.ServerKeywords",
        ) from error


def _as_it_is(value: Any) -> Any:
    return value


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is one text, not a list of them")
    return tuple(value)


# How a keyword becomes the option of the same name.
_READ: dict[str, Callable[[Any], Any]] = {
    "namespaces": _texts,
    "search_attributes": lambda value: tuple(dict(value).items()),
    "dynamic_config": lambda value: tuple((key, json.dumps(setting)) for key, setting in dict(value).items()),
    "retention": lambda value: int(value.total_seconds()),
    "database": Path,
}
