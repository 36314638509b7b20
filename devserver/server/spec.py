"""What one server process runs with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..config.server_options import DEFAULT_PORT, Ports, ServerOptions
from .log import LOG
from .namespaces import DEFAULT_NAMESPACE


@dataclass(frozen=True)
class ServerSpec:
    """All a supervisor needs to know, as its starter decided it.

    `command` is the server's command line; `at_once` says that it needs no preparation. `held` says that leases keep
    the server up, for `linger` seconds after the last one fell; `wait` limits the start, `stop` a graceful end, both
    in seconds.
    """

    name: str
    folder: Path
    options: ServerOptions
    executable: Path
    version: str
    server_version: str
    database: Path
    backups: Path
    schemas: Path
    ports: Ports
    command: tuple[str, ...] = ()
    at_once: bool = False
    held: bool = False
    linger: float = 0.0
    wait: float = 30.0
    stop: float = 10.0

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those asked for first, and `default`, which the server always makes."""
        return tuple(dict.fromkeys((*self.options.namespaces, DEFAULT_NAMESPACE)))

    def asked_for(self, port: int) -> bool:
        """Whether the user, or custom, wants this very port, so that no other will do."""
        options = self.options
        wanted = (options.port, options.http_port, options.ui_port, options.metrics_port)
        return port in wanted or (port == DEFAULT_PORT and options.port is None and port == self.ports.grpc)

    @property
    def log(self) -> Path:
        """Where the server's output goes."""
        return self.folder / LOG

    def to_json(self) -> dict[str, Any]:
        """The form in which it is handed to the supervisor."""
        data = asdict(self) | {"options": self.options.to_json()}
        return data | {field.name: str(data[field.name]) for field in fields(self) if field.type == "Path"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerSpec:
        """What `to_json` wrote."""
        values = dict(data)
        for field in fields(cls):
            if field.type == "Path":
                values[field.name] = Path(values[field.name])
        values["options"] = ServerOptions.from_json(values["options"])
        values["ports"] = Ports(**values["ports"])
        values["command"] = tuple(values["command"])
        return cls(**values)


def unsupported() -> bool:
    """Whether this system lacks what a supervisor needs."""
    return sys.platform == "win32"
