"""Starting a named instance: detached, in the foreground, or again as it last ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .. import executables
from ..config.server_options import ServerOptions
from ..errors import (
    BinaryNotFound,
    InstanceRunning,
    PortLost,
    StartFailed,
)
from ..server.log import begin_log
from ..server.spec import ServerSpec
from ..system.ports import Reservations
from ..system.progress import Reporter, Silent
from .folder import InstanceFolder
from .join import join
from .record import READY, STOPPED, STOPPING, Record
from .request import StartedInstance, StartRequest
from .start_plan import plan, plan_again
from .supervisor import Supervisor
from .supervisor_process import SPARE_SECONDS, end_orphans, end_supervisor, report, spawn

T = TypeVar("T")

ATTEMPTS = 5


def start(request: StartRequest, reporter: Reporter | None = None, *, fork: bool = False) -> StartedInstance:
    """Start the instance detached from this process, or join it if it is running.

    Args:
        request: The instance and its options.
        reporter: Receives notes and warnings.
        fork: Make the supervisor a copy of this process; see `supervisor_process.spawn`.

    Raises:
        InstanceRunning: The instance runs with other options; the details list them.
        StartFailed, DatabaseError: The server did not start.
    """
    reporter = reporter or Silent()
    folder = request.folder
    with folder.lock(reporter):
        running = _running(request)
        if running is not None:
            joined = join(request, running)
            _warn_if_open(joined.options, reporter)
            _note_if_unpaused(request, reporter)
            if joined.held and not request.held:
                reporter.note("other processes hold this instance: it stops when the last of them ends")
            lease = folder.take_lease() if request.held else None
            return StartedInstance(joined, False, lease)
        _warn_if_open(request.options, reporter)

        def attempt() -> StartedInstance:
            with Reservations(request.options.bind) as reserved:
                return _start_new(request, plan(request, reserved), reporter, fork)

        return _with_other_ports(attempt)


def _with_other_ports(attempt: Callable[[], T]) -> T:
    """Try again if a free port that we chose was lost.

    A server's inner services take free ports of their own, and may take one that we reserved for another server.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except PortLost:
            continue
    return attempt()


def _start_new(request: StartRequest, spec: ServerSpec, reporter: Reporter, fork: bool) -> StartedInstance:
    folder = request.folder
    lease = folder.take_lease() if request.held else None
    try:
        return StartedInstance(spawn(spec, folder, reporter, fork=fork), True, lease)
    except BaseException:
        if lease is not None:
            lease.release()
        folder.remove_state(spec.database, ephemeral=spec.options.ephemeral)
        raise


def run(
    request: StartRequest,
    reporter: Reporter,
    on_ready: Callable[[Record], None],
    on_look: Callable[[], None] | None = None,
) -> Record | None:
    """Run the instance in the foreground: this process is its supervisor until Ctrl-C or the end of the server.

    Args:
        request: The instance and its options.
        reporter: Receives notes and warnings.
        on_ready: Called when the server is ready.
        on_look: Called every second while it is ready.

    Returns:
        The record of an instance that is already running; None if this process ran it to its end.

    Raises:
        InstanceRunning: The instance runs with other options; the details list them.
        StartFailed, DatabaseError: The server did not start, or crashed.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(request.folder.lock(reporter))
        running = _running(request)
        if running is not None:
            _warn_if_open(running.options, reporter)
            _note_if_unpaused(request, reporter)
            return join(request, running)
        _warn_if_open(request.options, reporter)

        def attempt() -> None:
            with Reservations(request.options.bind) as reserved:
                spec = plan(request, reserved)
                begin_log(spec.log, spec.version, spec.server_version)

                def on_event(event: Mapping[str, Any]) -> None:
                    report(event, reporter)
                    if "ready" in event:
                        reserved.release()
                        stack.close()
                        on_ready(Record.from_json(event["ready"]))

                Supervisor(spec, on_event, on_look=on_look).run()

        _with_other_ports(attempt)
    return None


def start_again(
    folder: InstanceFolder,
    reporter: Reporter | None = None,
    wait: float = 30.0,
    *,
    fork: bool = False,
    pause_schedules: bool = False,
    just_ended: bool = False,
) -> Record:
    """Start a stopped instance as it last ran: same options, executable, database and ports.

    Args:
        folder: The instance.
        reporter: Receives notes and warnings.
        wait: Seconds in which the server has to be ready.
        fork: Make the supervisor a copy of this process; see `supervisor_process.spawn`.
        pause_schedules: Pause all schedules before they can act.
        just_ended: The server ran a moment ago on the same database, so that nothing in it needs attention.

    Raises:
        InstanceUnknown: No instance has that name.
        StartFailed, DatabaseError: The server did not start.
    """
    reporter = reporter or Silent()
    with folder.lock(reporter):
        record = folder.require_record()
        if record.running():
            return record
        end_orphans(record)
        _warn_if_open(record.options, reporter)

        def attempt() -> Record:
            with Reservations(record.options.bind) as reserved:
                spec = plan_again(
                    folder, record, wait, reserved, pause_schedules=pause_schedules, just_ended=just_ended
                )
                return spawn(spec, folder, reporter, fork=fork)

        _recheck(folder, record, reporter)
        again = _with_other_ports(attempt)
        folder.keep_state(False)
        return again


def _recheck(folder: InstanceFolder, record: Record, reporter: Reporter) -> None:
    try:
        executables.recheck(record.executable, record.sha256, paths=folder.paths, reporter=reporter)
    except BinaryNotFound:
        raise StartFailed(
            f"the executable of the instance {record.name} does not exist anymore: {record.executable}",
            hint="run devserver down and devserver up to start it with another executable",
        ) from None


def _warn_if_open(options: ServerOptions, reporter: Reporter) -> None:
    if options.opens_network():
        reporter.warn(
            f"the server listens on {options.bind} without authentication: "
            "everyone who can reach it can read and change everything"
        )


def _note_if_unpaused(request: StartRequest, reporter: Reporter) -> None:
    if request.pause_schedules:
        reporter.warn("--pause-schedules has no effect: the server is running (devserver schedule pause pauses one)")


def _running(request: StartRequest) -> Record | None:
    """The record of the instance if it is ready. What is left of one that is ending or crashed is ended."""
    record = request.folder.read_record()
    if record is None:
        return None
    state = record.state_now()
    if state == READY:
        return record
    if record.elsewhere():
        raise InstanceRunning(
            f"the instance {record.name} runs elsewhere: in a container or on a machine that shares "
            f"{request.folder.path}",
            hint="start another one here with --name, or set DEVSERVER_HOME to a folder of this container's own",
        )
    ending = state in (STOPPING, STOPPED)
    if record.supervised() and not (ending and record.supervisor.wait_gone(request.stop + SPARE_SECONDS)):
        # Its starter, whose lock we have, died before the server was ready; or it has crashed and is still held.
        end_supervisor(record)
    end_orphans(record)
    return None
