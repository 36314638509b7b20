"""What a supervisor is to do: from what the user wants and what the instance had the last time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..config.server_options import (
    DEFAULT_NAME,
    DEFAULT_PORT,
    UI_PORT_OFFSET,
    Ports,
    ServerOptions,
    check_name,
    command_line,
)
from ..errors import StartFailed, UnsupportedPlatform
from ..executables.models import Executable
from ..server.spec import ServerSpec, unsupported
from ..system.files import private_folder
from ..system.paths import Paths, whole
from ..system.ports import Reservations
from .ephemeral_database import create_folder
from .folder import mark_keep
from .leases import holders
from .record import Record, read_record


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


def plan(request: Request, paths: Paths, reserved: Reservations) -> ServerSpec:
    """What the supervisor is to do, from what the user wants and what the instance had the last time.

    The ports are taken from `reserved`, which must be held until the server listens.

    Raises:
        PortTaken: An asked for port is held by someone.
        UnsupportedPlatform: Servers do not run here.
    """
    if unsupported():
        raise UnsupportedPlatform("devserver runs on Linux and macOS", hint="on Windows, use WSL")
    check_name(request.name)
    folder = private_folder(paths.instance(request.name))
    mark_keep(folder, False)
    last = read_record(paths, request.name)
    ports = choose_ports(request.name, request.options, last.ports if last else None, reserved)
    spec = ServerSpec(
        name=request.name,
        folder=folder,
        options=request.options,
        executable=request.executable.path,
        version=request.executable.version,
        server_version=request.executable.server_version,
        database=_new_database(request, paths),
        backups=paths.backups(request.name),
        schemas=paths.schemas,
        ports=ports,
        held=request.held,
        linger=request.linger,
        wait=request.wait,
        stop=request.stop,
    )
    return _with_command(spec)


def plan_again(record: Record, paths: Paths, wait: float, reserved: Reservations) -> ServerSpec:
    """The same server once more: same options, executable, database and gRPC port.

    One that was held, and that nobody holds now, runs from here on until it is stopped.

    Raises:
        PortTaken: Its port is held by someone now.
        StartFailed: Its executable is gone.
    """
    if not record.executable.is_file():
        raise StartFailed(
            f"the executable of the instance {record.name} is gone: {record.executable}",
            hint="devserver down and devserver up start it on one that is there",
        )
    options = _with_port(record)
    spec = ServerSpec(
        name=record.name,
        folder=paths.instance(record.name),
        options=options,
        executable=record.executable,
        version=record.version,
        server_version=record.server_version,
        database=_database(record, paths),
        backups=paths.backups(record.name),
        schemas=paths.schemas,
        ports=choose_ports(record.name, options, record.ports, reserved),
        held=record.held and (record.linger > 0 or bool(holders(paths.instance(record.name)))),
        linger=record.linger,
        wait=wait,
    )
    return _with_command(spec)


def choose_ports(name: str, options: ServerOptions, last: Ports | None, reserved: Reservations) -> Ports:
    """The ports asked for; else those of the `last` time, if they are free; else any free ones.

    Raises:
        PortTaken: An asked for port is held by someone.
    """
    wanted = DEFAULT_PORT if options.port is None and name == DEFAULT_NAME else options.port
    grpc = reserved.take(wanted, last.grpc if last else None, "--port")
    usual_ui = grpc + UI_PORT_OFFSET if grpc + UI_PORT_OFFSET < 65536 else None
    preferred_ui = (last.ui if last else None) or usual_ui
    return Ports(
        grpc=grpc,
        ui=reserved.take(options.ui_port, preferred_ui, "--ui-port") if options.ui else None,
        http=reserved.take(options.http_port, last.http if last else None, "--http-port"),
        metrics=reserved.take(options.metrics_port, last.metrics if last else None, "--metrics-port"),
    )


def _with_command(spec: ServerSpec) -> ServerSpec:
    """An ephemeral server needs no preparation, so it may start at once."""
    command = command_line(
        spec.options,
        executable=spec.executable,
        version=spec.version,
        ports=spec.ports,
        database=spec.database,
    )
    return replace(spec, command=tuple(command), at_once=spec.options.ephemeral)


def _new_database(request: Request, paths: Paths) -> Path:
    if request.options.ephemeral:
        return create_folder(paths.instance(request.name))
    if request.options.database is None:
        private_folder(paths.database(request.name).parent)
    return whole(request.options.database or paths.database(request.name))


def _with_port(record: Record) -> ServerOptions:
    """The same gRPC port, or none: clients of the instance know it. Others that were any free ones are preferred."""
    options = record.options
    return replace(
        options,
        port=record.ports.grpc,
        http_port=options.http_port or None,
        ui_port=options.ui_port or None,
        metrics_port=options.metrics_port or None,
    )


def _database(record: Record, paths: Paths) -> Path:
    if record.options.ephemeral and not record.database.parent.is_dir():
        return create_folder(paths.instance(record.name))
    return record.database
