"""A named instance: started once however many ask, stopped for certain, known by its record."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..config.server_options import ServerOptions, check_name
from ..errors import FolderNotWritable, InstanceNotRunning, InstanceRunning, InstanceUnknown, PortLost
from ..server.spec import ServerSpec
from ..system.paths import Paths
from ..system.ports import Reservations
from ..system.progress import Reporter, Silent
from .folder import begin_log, discard_unkept, locked, mark_keep
from .join import join
from .leases import Lease, holders
from .plan import Request, plan, plan_again
from .record import (
    ANONYMOUS,
    CRASHED,
    READY,
    STOPPED,
    STOPPING,
    Record,
    down,
    names,
    read_record,
    up,
    write_record,
)
from .spawn_supervisor import SPARE_SECONDS, end_orphans, end_supervisor, pass_on, spawn
from .supervisor import Supervisor

__all__ = [
    "Request",
    "StartedInstance",
    "down",
    "erase",
    "known",
    "run",
    "start",
    "start_again",
    "stop",
    "stop_unheld",
    "up",
]

T = TypeVar("T")

ATTEMPTS = 5


@dataclass(frozen=True)
class StartedInstance:
    """The instance that runs now, whether this call started it, and the lease where one was asked for."""

    record: Record
    fresh: bool
    lease: Lease | None = None


def start(request: Request, paths: Paths, reporter: Reporter | None = None, *, fork: bool = False) -> StartedInstance:
    """Have the instance running, detached from this process (`fork`: see `detached.spawn`).

    Raises:
        InstanceRunning: It runs with other options than those given; the details say which.
        StartFailed and its kin: It could not be started; says why.
    """
    reporter = reporter or Silent()
    with locked(paths, request.name, reporter):
        running = _running(request, paths)
        if running is not None:
            joined = join(request, running, paths)
            _warn_if_open(joined.options, reporter)
            if joined.held and not request.held:
                reporter.note("processes hold it: it ends with the last of them, not before and not after")
            lease = Lease.take(paths.instance(request.name)) if request.held else None
            return StartedInstance(joined, False, lease)
        _warn_if_open(request.options, reporter)

        def attempt() -> StartedInstance:
            with Reservations(request.options.bind) as reserved:
                return _start_new(request, plan(request, paths, reserved), reporter, fork)

        return _with_other_ports(attempt)


def _with_other_ports(attempt: Callable[[], T]) -> T:
    """Begin again where a port that was chosen as a free one got lost.

    A server's inner services take free ports of their own, and may hit one that we have reserved for another server.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except PortLost:
            continue
    return attempt()


def _start_new(request: Request, spec: ServerSpec, reporter: Reporter, fork: bool) -> StartedInstance:
    lease = Lease.take(spec.folder) if request.held else None
    try:
        return StartedInstance(spawn(spec, reporter, fork=fork), True, lease)
    except BaseException:
        if lease is not None:
            lease.release()
        discard_unkept(spec.folder, spec.database, spec.options.ephemeral)
        raise


def run(request: Request, paths: Paths, reporter: Reporter, on_ready: Callable[[Record], None]) -> Record | None:
    """Run the instance in the foreground: this process is its supervisor until Ctrl-C or the server's end.

    Returns the record of an instance that already runs, else None when it has ended.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(paths, request.name, reporter))
        running = _running(request, paths)
        if running is not None:
            _warn_if_open(running.options, reporter)
            return join(request, running, paths)
        _warn_if_open(request.options, reporter)

        def attempt() -> None:
            with Reservations(request.options.bind) as reserved:
                spec = plan(request, paths, reserved)
                begin_log(spec.log, spec.version, spec.server_version)

                def tell(event: Mapping[str, Any]) -> None:
                    pass_on(event, reporter)
                    if "ready" in event:
                        reserved.release()
                        stack.close()
                        on_ready(Record.from_json(event["ready"]))

                Supervisor(spec, tell).run()

        _with_other_ports(attempt)
    return None


def started(paths: Paths, name: str) -> Record:
    """The record of an instance once nobody is starting or stopping it."""
    with locked(paths, name):
        return known(paths, name)


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
    record = known(paths, name)
    supervised = record.supervised()
    if not supervised and record.state in (STOPPED, CRASHED) and not keep:
        mark_keep(paths.instance(name), False)  # what was kept for a start that never came
        discard_unkept(paths.instance(name), record.database, record.options.ephemeral)
        raise InstanceNotRunning(
            f"the instance {name} is not running ({record.state})", hint=f"start it with: {up(name)}"
        )
    mark_keep(paths.instance(name), keep)
    if supervised:
        end_supervisor(record)
    end_orphans(record)
    # What follows a supervisor does itself, unless it was killed.
    discard_unkept(paths.instance(name), record.database, record.options.ephemeral)
    left = read_record(paths, name)
    if left is not None and left.state not in (STOPPED, CRASHED):
        with contextlib.suppress(FolderNotWritable):  # a full disk; its processes are gone all the same
            write_record(paths.instance(name), left.changed(state=STOPPED, server=None))
    return record


def start_again(
    paths: Paths, name: str, reporter: Reporter | None = None, wait: float = 30.0, *, fork: bool = False
) -> Record:
    """Start a stopped instance as it last ran: same options, executable, database and ports.

    Raises:
        InstanceUnknown: It never ran.
        StartFailed and its kin: It could not be started; says why.
    """
    reporter = reporter or Silent()
    with locked(paths, name):
        record = known(paths, name)
        if record.running():
            return record
        end_orphans(record)
        _warn_if_open(record.options, reporter)

        def attempt() -> Record:
            with Reservations(record.options.bind) as reserved:
                return spawn(plan_again(record, paths, wait, reserved), reporter, fork=fork)

        again = _with_other_ports(attempt)
        mark_keep(paths.instance(name), False)
        return again


def erase(paths: Paths, name: str) -> None:
    """Delete the database of a stopped instance, and what SQLite and we keep beside it.

    Raises:
        InstanceRunning: It runs.
    """
    with locked(paths, name):
        record = known(paths, name)
        if record.running():
            raise InstanceRunning(f"the instance {name} runs", hint=f"stop it first: {down(name)}")
        for suffix in ("", "-wal", "-shm", "-journal", ".stamp.json"):
            record.database.with_name(record.database.name + suffix).unlink(missing_ok=True)


def _warn_if_open(options: ServerOptions, reporter: Reporter) -> None:
    if options.opens_network():
        reporter.warn(
            f"the server listens on {options.bind} without authentication: "
            "whoever reaches it can read and change everything"
        )


# Looking


def _running(request: Request, paths: Paths) -> Record | None:
    record = read_record(paths, request.name)
    if record is None:
        return None
    state = record.state_now()
    if state == READY:
        return record
    ending = state in (STOPPING, STOPPED)
    if record.supervised() and not (ending and record.supervisor.wait_gone(request.stop + SPARE_SECONDS)):
        # It starts, and its starter (whose lock we have) is gone; or it keeps a crashed server for its holders.
        end_supervisor(record)
    end_orphans(record)
    return None


def known(paths: Paths, name: str) -> Record:
    """The record of an instance.

    Raises:
        InstanceUnknown: It never ran; says which ones there are.
    """
    record = read_record(paths, check_name(name))
    if record is None:
        raise _unknown(paths, name)
    return record


def _unknown(paths: Paths, name: str) -> InstanceUnknown:
    """The error for an instance that never was, with the ones that are."""
    there = [other for other in names(paths) if not other.startswith(ANONYMOUS)]
    return InstanceUnknown(
        f"there is no instance {name}",
        details=[f"instances: {', '.join(there)}"] if there else [],
        hint=f"start it with: {up(name)}",
    )
