"""Using an instance that already runs: add what can be added, refuse what would need another server."""

from __future__ import annotations

from typing import Any

from .errors import InstanceRunning
from .frontend import Frontend
from .namespaces import Wanted, ensure_namespace, within
from .paths import Paths
from .planning import Request
from .record import Record, write_record

ADDABLE = ("namespaces", "search_attributes")


def join(request: Request, record: Record, paths: Paths) -> Record:
    """The running instance, with the namespaces and search attributes that `request` asks for.

    Raises:
        InstanceRunning: It runs with other options than those given; the details say which.
    """
    differing = differences(request, record)
    if differing:
        raise InstanceRunning(
            f"the instance {record.name} already runs, with other options",
            details=differing,
            hint=f"stop it first (devserver down --name {record.name}), or start another one with --name",
        )
    return _add_missing(request, record, paths)


def differences(request: Request, record: Record) -> list[str]:
    """The explicitly given options that the running instance does not have, a line each."""
    found = []
    for name in sorted(request.explicit):
        if name in ADDABLE:
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
    frontend = Frontend(record.host, record.ports.http)
    attributes = dict(request.options.search_attributes)
    missing = tuple(name for name in request.options.namespaces if name not in record.namespaces)
    wanted = Wanted(record.options.retention, attributes, record.executable, record.address)
    until = within(request.wait)
    for name in (*record.namespaces, *missing) if attributes else missing:
        ensure_namespace(frontend, name, wanted, until)
    if missing:
        record = record.changed(namespaces=(*record.namespaces, *missing))
        write_record(paths.instance(record.name), record)
    return record
