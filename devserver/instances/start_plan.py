"""From a request, or from the record of the last run, to the spec of the server to start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config.option_values import DEFAULT_NAME, check_name
from ..config.server_options import DEFAULT_PORT, TLS_PORT_OFFSET, UI_PORT_OFFSET, ServerOptions
from ..errors import OptionError, UnsupportedPlatform
from ..server.command_line import MAX_PAGES, Ports, command_line
from ..server.spec import ServerSpec, unsupported
from ..system.files import private_folder
from ..system.paths import whole
from ..system.ports import Reservations
from . import ephemeral_database
from .folder import InstanceFolder
from .record import Record
from .request import StartRequest

SPECIAL = "#?%"  # what SQLite reads in a URI's path


def plan(request: StartRequest, reserved: Reservations) -> ServerSpec:
    """The spec of a new server.

    Args:
        request: The request.
        reserved: Reserves the ports; the caller keeps them reserved until the server listens.

    Raises:
        OptionError: The path of the database has characters that mean something else in a URI.
        PortTaken: Another process listens on a requested port.
        UnsupportedPlatform: Servers do not run on this operating system.
        TlsMissing, CertificatesDamaged: The options ask for TLS, and its certificates cannot be issued.
    """
    if unsupported():
        raise UnsupportedPlatform("devserver runs on Linux and macOS", hint="on Windows, use WSL")
    folder = request.folder
    check_name(folder.name)
    if not request.options.ephemeral:
        _check_file_name(whole(request.options.database or folder.paths.database(folder.name)))
    folder.create()
    folder.keep_state(False)
    last = folder.read_record()
    ports = choose_ports(folder.name, request.options, last.ports if last else None, reserved)
    database = _new_database(request)
    spec = ServerSpec(
        name=folder.name,
        paths=folder.paths,
        options=_with_tls(folder, _bounded(request.options, database)),
        executable=request.executable.path,
        version=request.executable.version,
        server_version=request.executable.server_version,
        database=database,
        ports=ports,
        held=request.held,
        linger=request.linger,
        wait=request.wait,
        stop=request.stop,
        sha256=request.executable.sha256,
        pause_schedules=request.pause_schedules,
    )
    return _with_command(spec)


def plan_again(
    folder: InstanceFolder,
    record: Record,
    wait: float,
    reserved: Reservations,
    *,
    pause_schedules: bool = False,
    just_ended: bool = False,
) -> ServerSpec:
    """The spec of the same server: same options, executable, database and gRPC port.

    A server that was held, and that no process holds now, runs until it is stopped.

    Args:
        folder: The instance.
        record: The record of its last run.
        wait: Seconds in which the server has to be ready.
        reserved: Reserves the ports; the caller keeps them reserved until the server listens.
        pause_schedules: Pause all schedules before they can act.
        just_ended: The server ran a moment ago on the same database, so that nothing in it needs attention.

    Raises:
        PortTaken: Another process listens on the gRPC port.
    """
    options = _with_tls(folder, replace(record.options, port=record.ports.grpc))
    spec = ServerSpec(
        name=record.name,
        paths=folder.paths,
        options=options,
        executable=record.executable,
        version=record.version,
        server_version=record.server_version,
        database=_last_database(folder, record),
        ports=choose_ports(record.name, _with_last_ports(options), record.ports, reserved),
        held=record.held and (record.linger > 0 or bool(folder.holders())),
        linger=record.linger,
        wait=wait,
        sha256=record.sha256,
        pause_schedules=pause_schedules,
    )
    return _with_command(spec, just_ended=just_ended)


def choose_ports(name: str, options: ServerOptions, last: Ports | None, reserved: Reservations) -> Ports:
    """The requested ports; else the ports of the last run if they are free; else any free ones.

    Raises:
        PortTaken: Another process listens on a requested port.
    """
    requested = DEFAULT_PORT if options.port is None and name == DEFAULT_NAME else options.port
    grpc = reserved.take(requested, last.grpc if last else None, "--port")
    preferred_ui = (last.ui if last else None) or _port_above(grpc, UI_PORT_OFFSET)
    preferred_tls = (last.tls if last else None) or _port_above(grpc, TLS_PORT_OFFSET)
    return Ports(
        grpc=grpc,
        ui=reserved.take(options.ui_port, preferred_ui, "--ui-port") if options.ui else None,
        http=reserved.take(options.http_port, last.http if last else None, "--http-port"),
        metrics=reserved.take(options.metrics_port, last.metrics if last else None, "--metrics-port"),
        tls=reserved.take(options.tls_port, preferred_tls, "--tls-port") if options.serves_tls else None,
    )


def _with_tls(folder: InstanceFolder, options: ServerOptions) -> ServerOptions:
    if not options.serves_tls:
        return options
    from .tls import prepare_tls

    return prepare_tls(folder, options)


def _port_above(port: int, offset: int) -> int | None:
    return port + offset if port + offset < 65536 else None


def _check_file_name(database: Path) -> None:
    """Refuse a path that the server would take for another one.

    It gives the path to SQLite as a part of a URI without escaping it (1.9.1): `a#b.db` becomes `a`, and `%41` an A. An
    escaped path is no way out, because the server looks for the file under the same text.
    """
    special = sorted({character for character in str(database) if character in SPECIAL or not character.isprintable()})
    if special:
        own = "--db-filename" if database.name != "temporal.db" else "--db-filename, or DEVSERVER_HOME"
        raise OptionError(
            f"the path of the database has {' and '.join(map(repr, special))}: {database}",
            details=["SQLite would use another file: the server passes the path as a part of a URI"],
            hint=f"choose a path without {' '.join(SPECIAL)} and control characters ({own})",
        )


def _with_command(spec: ServerSpec, *, just_ended: bool = False) -> ServerSpec:
    _check_file_name(spec.database)
    command = command_line(
        spec.options,
        executable=spec.executable,
        version=spec.version,
        ports=spec.ports,
        database=spec.database,
    )
    # Nothing came due in the database of an ephemeral server that is new, or has just ended; a restart and a restore
    # keep its file.
    settled = not spec.database.exists() or (just_ended and not spec.pause_schedules)
    at_once = spec.options.ephemeral and settled
    return replace(spec, command=tuple(command), at_once=at_once)


def _bounded(options: ServerOptions, database: Path) -> ServerOptions:
    """The options with the bound of an ephemeral database."""
    if not options.ephemeral or options.ephemeral_size is not None or MAX_PAGES in dict(options.sqlite_pragmas):
        return options
    return replace(options, ephemeral_size=ephemeral_database.default_size(database))


def _new_database(request: StartRequest) -> Path:
    folder = request.folder
    if request.options.ephemeral:
        return ephemeral_database.create_folder(folder.path)
    own = folder.paths.database(folder.name)
    if request.options.database is None:
        private_folder(own.parent)
    return whole(request.options.database or own)


def _last_database(folder: InstanceFolder, record: Record) -> Path:
    if record.options.ephemeral and not record.database.parent.is_dir():
        return ephemeral_database.create_folder(folder.path)
    return record.database


def _with_last_ports(options: ServerOptions) -> ServerOptions:
    """The options that choose the ports of the last run, where the user asked for any free port."""
    return replace(
        options,
        http_port=options.http_port or None,
        ui_port=options.ui_port or None,
        metrics_port=options.metrics_port or None,
        tls_port=options.tls_port or None,
    )
