"""Using an instance that already runs: add what can be added, refuse what would need another server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..config.server_options import format_duration
from ..errors import InstanceRunning
from ..server.http_api import HttpApi
from ..server.namespaces import NamespaceSettings, ensure_namespaces, within
from ..system.paths import Paths, whole
from .plan import Request
from .record import Record, down, write_record

ADDABLE = ("namespaces", "search_attributes")

# How an option is spelled on the command line, where that is not its name.
SPELLED = {
    "database": "--db",
    "sqlite_pragmas": "--sqlite-pragma",
    "ui": "--no-ui",
    "upgrade": "--no-upgrade",
}
NEGATED = ("ui", "upgrade")


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
            hint=f"stop it first ({down(record.name)}), or start another one with --name",
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
            option = SPELLED.get(name, f"--{name.replace('_', '-')}")
            found.append(f"{option}: it runs with {_shown(name, has)}, asked for {_shown(name, wanted)}")
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
        return whole(request.options.database or record.database), record.database
    return getattr(request.options, name), getattr(record.options, name)


def _shown(name: str, value: Any) -> str:
    """A value as it is given on the command line."""
    if name == "retention":
        return format_duration(value)
    if isinstance(value, bool):
        return "on" if value is (name not in NEGATED) else "off"
    if isinstance(value, tuple):
        return " ".join("=".join(pair) for pair in value) or "none"
    return "none" if value is None else str(value)


def _add_missing(request: Request, record: Record, paths: Paths) -> Record:
    http_api = HttpApi(record.host, record.ports.http)
    attributes = dict(request.options.search_attributes)
    missing = tuple(name for name in request.options.namespaces if name not in record.namespaces)
    wanted = NamespaceSettings(record.options.retention, attributes, record.executable, record.address)
    until = within(request.wait)
    ensure_namespaces(http_api, (*record.namespaces, *missing) if attributes else missing, wanted, until)
    if missing or attributes:
        record = _with(record, missing, attributes)
        write_record(paths.instance(record.name), record)
    return record


def _with(record: Record, namespaces: tuple[str, ...], attributes: dict[str, str]) -> Record:
    """The record with what was added, so that a restart ensures it again; the first namespace stays the first."""
    namespaces = (*record.namespaces, *namespaces)
    options = replace(
        record.options,
        namespaces=namespaces,
        search_attributes=tuple((dict(record.options.search_attributes) | attributes).items()),
    )
    return record.changed(namespaces=namespaces, options=options)
