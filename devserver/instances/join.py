"""Joining an instance that is running: add what can be added, reject what needs another server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..config.durations import format_duration
from ..config.sizes import format_size
from ..config.tls_options import GENERATED, STORED
from ..errors import InstanceRunning
from ..server.http_api import HttpApi
from ..server.namespaces import NamespaceSettings, ensure_namespaces, within
from ..system.paths import whole
from .record import Record, down_command
from .request import StartRequest

ADDABLE = ("namespaces", "search_attributes")

# The command-line spelling of options, where it is not the option's name.
SPELLED = {
    "database": "--db-filename",
    "bind": "--ip",
    "dynamic_config": "--dynamic-config-value",
    "sqlite_pragmas": "--sqlite-pragma",
    "ui": "--no-ui",
    "upgrade": "--no-upgrade",
    "tls_hostnames": "--tls-hostname",
}
NEGATED = ("ui", "upgrade")


def join(request: StartRequest, record: Record) -> Record:
    """Add the requested namespaces and search attributes to a running instance.

    Returns:
        The record of the instance.

    Raises:
        InstanceRunning: The instance runs with other options than the explicit ones; the details list them.
    """
    differing = differences(request, record)
    if differing:
        raise InstanceRunning(
            f"the instance {record.name} is already running, with other options",
            details=differing,
            hint=f"stop it first ({down_command(record.name)}), or start another instance with --name",
        )
    return _add_missing(request, record)


def differences(request: StartRequest, record: Record) -> list[str]:
    """One line for each explicit option that the running instance does not have."""
    found = []
    for name in sorted(request.explicit):
        if name in ADDABLE:
            continue
        requested, actual = _values(name, request, record)
        if requested != actual:
            option = SPELLED.get(name, f"--{name.replace('_', '-')}")
            found.append(f"{option}: running with {_shown(name, actual)}, requested {_shown(name, requested)}")
    return found


def _values(name: str, request: StartRequest, record: Record) -> tuple[Any, Any]:
    """The requested value of an option, and the actual one."""
    if name == "version":
        return request.executable.version, record.version
    if name == "binary":
        return request.executable.path, record.executable
    if name == "http_port" and record.options.http_port is None:  # its HTTP API answers only us
        return request.options.http_port, None
    if name == "api_key" and record.options.api_key == STORED:
        from .tls import stored_key

        return request.options.api_key, stored_key(request.folder)
    if name == "tls":
        return request.options.serves_tls, record.options.serves_tls
    if name in ("port", "http_port", "ui_port", "metrics_port", "tls_port"):
        actual = getattr(record.ports, "grpc" if name == "port" else name.removesuffix("_port"))
        requested = getattr(request.options, name)
        return (requested or actual), actual
    if name == "database":
        return whole(request.options.database or record.database), record.database
    return getattr(request.options, name), getattr(record.options, name)


def _shown(name: str, value: Any) -> str:
    """A value as the command line takes it."""
    if name == "retention":
        return format_duration(value)
    if name == "ephemeral_size" and value is not None:
        return format_size(value)
    if name == "api_key":  # never the key itself
        return {None: "none", GENERATED: GENERATED}.get(value, "a key")
    if isinstance(value, bool):
        return "on" if value is (name not in NEGATED) else "off"
    if isinstance(value, tuple):
        return " ".join(item if isinstance(item, str) else "=".join(item) for item in value) or "none"
    return "none" if value is None else str(value)


def _add_missing(request: StartRequest, record: Record) -> Record:
    http_api = HttpApi(record.host, record.ports.http)
    attributes = dict(request.options.search_attributes)
    missing = tuple(name for name in request.options.namespaces if name not in record.namespaces)
    settings = NamespaceSettings(record.options.retention, attributes, record.executable, record.address)
    until = within(request.wait)
    ensure_namespaces(http_api, (*record.namespaces, *missing) if attributes else missing, settings, until)
    if missing or attributes:
        record = _with(record, missing, attributes)
        request.folder.write_record(record)
    return record


def _with(record: Record, namespaces: tuple[str, ...], attributes: dict[str, str]) -> Record:
    """The record with the additions, which a restart ensures again. The first namespace stays the first."""
    namespaces = (*record.namespaces, *namespaces)
    options = replace(
        record.options,
        namespaces=namespaces,
        search_attributes=tuple((dict(record.options.search_attributes) | attributes).items()),
    )
    return record.changed(namespaces=namespaces, options=options)
