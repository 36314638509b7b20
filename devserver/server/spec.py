"""What one server process runs with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config.server_options import DEFAULT_PORT, ServerOptions
from ..system.paths import Paths
from .command_line import Ports
from .log import LOG
from .namespaces import DEFAULT_NAMESPACE


@dataclass(frozen=True)
class ServerSpec:
    """Everything a supervisor needs to start and keep one server.

    Attributes:
        name: The instance.
        paths: Where the instance's files are.
        options: The options of the server.
        executable: The Temporal CLI.
        version: The version of the CLI, such as `1.9.1`.
        server_version: The version of the server inside, such as `1.32.0`.
        database: The SQLite file.
        ports: The ports to listen on.
        command: The command line of the server.
        at_once: Whether the server can start before its database is checked.
        held: Whether the server runs only while processes hold leases.
        linger: Seconds for which it runs after the last lease.
        wait: Seconds in which it has to be ready.
        stop: Seconds in which it has to stop after SIGTERM.
        sha256: The SHA-256 of the executable, which the next start compares.
        pause_schedules: Whether all schedules are paused before they can act.
    """

    name: str
    paths: Paths
    options: ServerOptions
    executable: Path
    version: str
    server_version: str
    database: Path
    ports: Ports
    command: tuple[str, ...] = ()
    at_once: bool = False
    held: bool = False
    linger: float = 0.0
    wait: float = 30.0
    stop: float = 10.0
    sha256: str | None = None
    pause_schedules: bool = False

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The requested namespaces, then `default`, which every server has."""
        return tuple(dict.fromkeys((*self.options.namespaces, DEFAULT_NAMESPACE)))

    @property
    def folder(self) -> Path:
        """The state folder of the instance."""
        return self.paths.instance(self.name)

    @property
    def log(self) -> Path:
        """The file for the server's output."""
        return self.folder / LOG

    def requires_port(self, port: int) -> bool:
        """Whether the server must have this very port: the user chose it, or clients expect it."""
        options = self.options
        chosen = (options.port, options.http_port, options.ui_port, options.metrics_port, options.tls_port)
        return port in chosen or (port == DEFAULT_PORT and options.port is None and port == self.ports.grpc)

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON, for the supervisor."""
        return asdict(self) | {
            "options": self.options.to_json(),
            "paths": {name: str(path) for name, path in self.paths._asdict().items()},
            "executable": str(self.executable),
            "database": str(self.database),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerSpec:
        """The spec that `to_json` wrote."""
        return cls(
            **{
                **data,
                "options": ServerOptions.from_json(data["options"]),
                "paths": Paths(**{name: Path(path) for name, path in data["paths"].items()}),
                "executable": Path(data["executable"]),
                "database": Path(data["database"]),
                "ports": Ports(**data["ports"]),
                "command": tuple(data["command"]),
            }
        )


def unsupported() -> bool:
    """Whether servers cannot run on this operating system."""
    return sys.platform == "win32"
