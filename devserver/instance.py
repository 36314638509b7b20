"""A named instance: started once however many ask, stopped for certain, tidied up after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import (
    DevServerError,
    InstanceNotRunning,
    InstanceRunning,
    InstanceUnknown,
    StartFailed,
    StopFailed,
)
from .files import private_folder, write_private
from .launch import Spec, unsupported
from .leases import Lease, holders
from .locks import LockedFile
from .options import ServerOptions, check_name
from .paths import Paths
from .record import CRASHED, READY, STARTING, STOPPED, STOPPING, Record, names, read_record, write_record
from .reporting import Reporter, Silent
from .store import Executable
from .supervisor import KEEP, Supervisor, discard_unkept, lock_path

SUPERVISOR_LOG = "supervisor.log"
SPEC = "spec.json"
LOCK_SECONDS = 120.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - folders below it are made with mkdtemp, private to this user
ENOUGH_MEMORY = 256 * 1024 * 1024
SPARE_SECONDS = 5.0

# The supervisor starts without `site` (twice as fast) and finds its modules where its starter found them.
BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from devserver.supervisor import main; main(sys.argv[2], int(sys.argv[3]))"
)


@dataclass(frozen=True)
class Request:
    """What a starter wants: an instance of that name that runs with these options on this executable.

    `explicit` names the options the user gave; only those are compared with an instance that already runs.
    `held` makes leases keep it up, for `linger` seconds after the last; `wait` and `stop` are limits in seconds.
    """

    name: str
    options: ServerOptions
    executable: Executable
    explicit: frozenset[str] = frozenset()
    held: bool = False
    linger: float = 0.0
    wait: float = 30.0
    stop: float = 10.0


@dataclass(frozen=True)
class Started:
    """The instance that runs now, whether this call started it, and the lease where one was asked for."""

    record: Record
    fresh: bool
    lease: Lease | None = None


def start(request: Request, paths: Paths, reporter: Reporter | None = None) -> Started:
    """Have the instance running, detached from this process.

    Raises:
        InstanceRunning: It runs with other options than those given; the details say which.
        StartFailed and its kin: It could not be started; says why.
    """
    reporter = reporter or Silent()
    with locked(paths, request.name, reporter):
        running = _running(request, paths)
        if running is not None:
            return _join(request, running, paths, reporter)
        spec = plan(request, paths)
        lease = Lease.take(spec.folder) if request.held else None
        try:
            return Started(_spawn(spec, reporter), True, lease)
        except BaseException:
            if lease is not None:
                lease.release()
            forget_if_anonymous(paths, request.name)
            raise


def run(
    request: Request, paths: Paths, reporter: Reporter, on_ready: Callable[[Record], None]
) -> Record | None:
    """Run the instance in the foreground: this process is its supervisor until Ctrl-C or the server's end.

    Returns the record of an instance that already runs, else None when it has ended.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(paths, request.name, reporter))
        running = _running(request, paths)
        if running is not None:
            return _join(request, running, paths, reporter).record
        spec = plan(request, paths)

        def tell(event: Mapping[str, Any]) -> None:
            _pass_on(event, reporter)
            if "ready" in event:
                stack.close()
                on_ready(Record.from_json(event["ready"]))

        Supervisor(spec, tell).run()
    return None


def stop(paths: Paths, name: str, *, keep: bool = False) -> Record:
    """Stop the instance and see that its processes are gone; its record as it was while it ran.

    With `keep`, what an ephemeral or held instance has stays for a `start_again`.

    Raises:
        InstanceUnknown, InstanceNotRunning: There is nothing to stop.
        StopFailed: A process did not end.
    """
    with locked(paths, name):
        return _stop(paths, name, keep)


def stop_unheld(paths: Paths, name: str) -> None:
    """Stop the instance unless someone holds it by now."""
    with locked(paths, name):
        if not holders(paths.instance(name)):
            _stop(paths, name, keep=False)


def _stop(paths: Paths, name: str, keep: bool) -> Record:
    record = _known(paths, name)
    supervised = record.supervised()
    if not supervised and record.state in (STOPPED, CRASHED) and not keep:
        raise InstanceNotRunning(
            f"the instance {name} is not running ({record.state})", hint=f"start it with: {up(name)}"
        )
    _mark_keep(paths.instance(name), keep)
    if supervised:
        _end_supervisor(record)
    _end_orphans(record)
    return record


def start_again(paths: Paths, name: str, reporter: Reporter | None = None, wait: float = 30.0) -> Record:
    """Start a stopped instance as it last ran: same options, executable, database and ports.

    Raises:
        InstanceUnknown: It never ran.
        StartFailed and its kin: It could not be started; says why.
    """
    with locked(paths, name):
        record = _known(paths, name)
        if record.running():
            return record
        _end_orphans(record)
        spec = Spec(
            name=name,
            folder=paths.instance(name),
            options=_with_ports(record),
            executable=record.executable,
            version=record.version,
            server_version=record.server_version,
            database=_database(record, paths),
            backups=paths.backups(name),
            schemas=paths.schemas,
            preferred=record.ports,
            held=record.held,
            linger=record.linger,
            wait=wait,
        )
        _check_executable(spec)
        started = _spawn(spec, reporter or Silent())
        _mark_keep(spec.folder, False)
        return started


def _with_ports(record: Record) -> ServerOptions:
    """The same gRPC port, or none: clients of the instance know it."""
    return replace(record.options, port=record.ports.grpc)


def _database(record: Record, paths: Paths) -> Path:
    if record.options.ephemeral and not record.database.parent.is_dir():
        return _ephemeral_database(paths.instance(record.name))
    return record.database


def _check_executable(spec: Spec) -> None:
    if not spec.executable.is_file():
        raise StartFailed(
            f"the executable of the instance {spec.name} is gone: {spec.executable}",
            hint=f"run: {up(spec.name)}",
        )


def erase(paths: Paths, name: str) -> None:
    """Delete the database of a stopped instance, and what SQLite and we keep beside it.

    Raises:
        InstanceRunning: It runs.
    """
    with locked(paths, name):
        record = _known(paths, name)
        if record.running():
            raise InstanceRunning(f"the instance {name} runs", hint=f"devserver down --name {name}")
        for suffix in ("", "-wal", "-shm", "-journal", ".stamp.json"):
            record.database.with_name(record.database.name + suffix).unlink(missing_ok=True)


# Planning


def plan(request: Request, paths: Paths) -> Spec:
    """What the supervisor is to do, from what the user wants and what the instance had the last time."""
    if unsupported():
        from .errors import UnsupportedPlatform

        raise UnsupportedPlatform("devserver runs on Linux and macOS", hint="on Windows, use WSL")
    check_name(request.name)
    folder = private_folder(paths.instance(request.name))
    (folder / KEEP).unlink(missing_ok=True)
    options = request.options
    last = read_record(paths, request.name)
    if options.ephemeral:
        database = _ephemeral_database(folder)
    else:
        database = (options.database or paths.database(request.name)).expanduser().absolute()
        if options.database is None:
            private_folder(database.parent)
    return Spec(
        name=request.name,
        folder=folder,
        options=options,
        executable=request.executable.path,
        version=request.executable.version,
        server_version=request.executable.server_version,
        database=database,
        backups=paths.backups(request.name),
        schemas=paths.schemas,
        preferred=last.ports if last else None,
        held=request.held,
        linger=request.linger,
        wait=request.wait,
        stop=request.stop,
    )


def _ephemeral_database(folder: Path) -> Path:
    """A file in memory where the system offers that: faster than SQLite's own memory mode, and it loses no tables."""
    root = None
    with contextlib.suppress(OSError):
        space = os.statvfs(SHARED_MEMORY)
        if space.f_bavail * space.f_frsize > ENOUGH_MEMORY and os.access(SHARED_MEMORY, os.W_OK):
            root = SHARED_MEMORY
    path = Path(tempfile.mkdtemp(prefix="temporal-devserver-", dir=root))
    write_private(path / "owner", str(folder))
    return path / "temporal.db"


# Joining one that runs


def _running(request: Request, paths: Paths) -> Record | None:
    record = read_record(paths, request.name)
    if record is None:
        return None
    state = record.state_now()
    if state in (STARTING, READY):
        return record
    if record.supervised() and not record.supervisor.wait_gone(request.stop + SPARE_SECONDS):
        _end_supervisor(record)
    _end_orphans(record)
    return None


def _join(request: Request, record: Record, paths: Paths, reporter: Reporter) -> Started:
    """Use the running instance: add what can be added, refuse what would need another server."""
    differing = differences(request, record)
    if differing:
        raise InstanceRunning(
            f"the instance {record.name} already runs, with other options",
            details=differing,
            hint=f"stop it first (devserver down --name {record.name}), or start another one with --name",
        )
    lease = Lease.take(paths.instance(record.name)) if request.held else None
    return Started(_add_missing(request, record, paths), False, lease)


def differences(request: Request, record: Record) -> list[str]:
    """The explicitly given options that the running instance does not have, a line each."""
    found = []
    for name in sorted(request.explicit):
        if name in ("namespaces", "search_attributes"):
            continue  # these can be added to a running server
        wanted, has = _compared(name, request, record)
        if wanted != has:
            found.append(f"--{name.replace('_', '-')}: it runs with {has}, asked for {wanted}")
    return found


def _compared(name: str, request: Request, record: Record) -> tuple[Any, Any]:
    if name == "version":
        return request.executable.version, record.version
    if name == "binary":
        return request.executable.path, record.executable
    if name in ("port", "http_port", "ui_port", "metrics_port"):
        has = getattr(record.ports, "grpc" if name == "port" else name.removesuffix("_port"))
        wanted = getattr(request.options, name)
        return (wanted or has), has
    if name == "database":
        return (request.options.database or record.database).expanduser().absolute(), record.database
    return getattr(request.options, name), getattr(record.options, name)


def _add_missing(request: Request, record: Record, paths: Paths) -> Record:
    from .frontend import Frontend
    from .launch import ensure_search_attributes

    frontend = Frontend(record.host, record.ports.http)
    missing = [name for name in request.options.namespaces if name not in record.namespaces]
    for name in missing:
        frontend.ensure_namespace(name, record.options.retention)
    wanted = dict(request.options.search_attributes)
    for name in (*record.namespaces, *missing) if wanted else ():
        ensure_search_attributes(frontend, name, wanted, executable=record.executable, address=record.address)
    if missing:
        record = record.changed(namespaces=(*record.namespaces, *missing))
        write_record(paths.instance(record.name), record)
    return record


# Processes


def _spawn(spec: Spec, reporter: Reporter) -> Record:
    """Start the supervisor and wait for its word; it limits itself, and its pipe closes when it dies."""
    write_private(spec.folder / SPEC, json.dumps(spec.to_json()))
    read, write = os.pipe()
    here = str(Path(__file__).parent.parent)
    search = [here, *(str(Path(entry).absolute()) for entry in sys.path if entry)]
    with os.fdopen(read) as events:
        try:
            log = os.open(spec.folder / SUPERVISOR_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(log, "w") as output:
                process = subprocess.Popen(
                    [sys.executable, "-S", "-E", "-c", BOOT]
                    + [json.dumps(search), str(spec.folder / SPEC), str(write)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    pass_fds=[write],
                    start_new_session=True,
                )
        finally:
            os.close(write)
        _CHILDREN.add(process)
        return _await_ready(events, spec, reporter)


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


def _await_ready(events: Iterable[str], spec: Spec, reporter: Reporter) -> Record:
    for line in events:
        event = json.loads(line)
        _pass_on(event, reporter)
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


def _pass_on(event: Mapping[str, Any], reporter: Reporter) -> None:
    if "note" in event:
        reporter.note(str(event["note"]))
    if "warn" in event:
        reporter.warn(str(event["warn"]))


def _end_supervisor(record: Record) -> None:
    """Ask it to end; it limits the server's graceful stop itself. A supervisor that hangs is killed."""
    import signal

    spec_stop = 10.0
    record.supervisor.signal(signal.SIGTERM)
    record.supervisor.signal(signal.SIGCONT)
    if not record.supervisor.wait_gone(spec_stop + SPARE_SECONDS):
        record.supervisor.kill()
    _CHILDREN.reap()


def _end_orphans(record: Record) -> None:
    """A server whose supervisor was killed ends with it on Linux; elsewhere it is ended here."""
    if record.supervised():
        raise StopFailed(
            f"the supervisor of the instance {record.name} (pid {record.supervisor.pid}) does not end"
        )
    if record.server is not None and record.server.alive():
        record.server.end(5.0)
        if record.server.alive():
            raise StopFailed(
                f"the server of the instance {record.name} (pid {record.server.pid}) does not end"
            )


def _mark_keep(folder: Path, keep: bool) -> None:
    if keep:
        write_private(folder / KEEP, "")
    else:
        (folder / KEEP).unlink(missing_ok=True)


# Looking and tidying


@contextlib.contextmanager
def locked(paths: Paths, name: str, reporter: Reporter | None = None) -> Iterator[None]:
    """Hold the instance against others who start or stop it."""
    check_name(name)
    private_folder(paths.state)
    private_folder(paths.instances)
    path = lock_path(paths.instance(name))
    lock = LockedFile.attempt(path, str(os.getpid()))
    if lock is None:
        if reporter is not None:
            reporter.note(f"waiting for another process that starts or stops the instance {name} ...")
        lock = LockedFile.acquire(path, str(os.getpid()), limit=LOCK_SECONDS)
    if lock is None:
        raise StartFailed(
            f"another process has been starting or stopping the instance {name} for {LOCK_SECONDS:g} s",
            details=[f"its pid: {path.read_text()}"],
            hint="end that process if it hangs",
        )
    try:
        yield
    finally:
        gone = not paths.instance(name).exists()
        lock.release(remove=gone)


def _known(paths: Paths, name: str) -> Record:
    record = read_record(paths, check_name(name))
    if record is None:
        raise unknown(paths, name)
    return record


def unknown(paths: Paths, name: str) -> InstanceUnknown:
    """The error for an instance that never was, with the ones that are."""
    there = [other for other in names(paths) if not other.startswith("~")]
    return InstanceUnknown(
        f"there is no instance {name}",
        details=[f"instances: {', '.join(there)}"] if there else [],
        hint=f"start it with: {up(name)}",
    )


def up(name: str) -> str:
    """The command that starts that instance."""
    return "devserver up" if name == "default" else f"devserver up --name {name}"


def tidy(paths: Paths) -> None:
    """Put in order what killed processes left: orphaned servers, folders in memory, anonymous instances."""
    for name in names(paths):
        lock = LockedFile.attempt(lock_path(paths.instance(name)), str(os.getpid()))
        if lock is None:
            continue
        try:
            _tidy_one(paths, name)
        finally:
            lock.release(remove=not paths.instance(name).exists())


def _tidy_one(paths: Paths, name: str) -> None:
    record = read_record(paths, name)
    if record is None or record.supervised():
        return
    _end_orphans(record)
    if record.state in (STARTING, READY, STOPPING):
        exit_ = record.exit or "its supervisor was killed"
        write_record(paths.instance(name), record.changed(state=CRASHED, exit=exit_, server=None))
    if not holders(paths.instance(name)):
        (paths.instance(name) / KEEP).unlink(missing_ok=True)
        discard_unkept(paths.instance(name), record.database, record.options.ephemeral)


def forget_if_anonymous(paths: Paths, name: str) -> None:
    """Remove the state folder of an anonymous instance that did not start."""
    if name.startswith("~"):
        shutil.rmtree(paths.instance(name), ignore_errors=True)


def now() -> str:
    """The time, as records write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
