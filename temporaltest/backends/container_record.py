"""What users of a container and its supervisor share: the server's command, the folder, the lock, and the record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devserver import Paths, ProcessIdentity

RECORD = "record.json"
GRPC, HTTP, UI = 7233, 7243, 8233  # ports in the container
MEMORY = "/temporaltest"  # a folder in memory


def server_command(dynamic_config: Mapping[str, str], *, ui: bool, namespaces: Sequence[str] = ()) -> list[str]:
    """The arguments of a server in a container, without state on a disk; values of `dynamic_config` are JSON."""
    command = ["server", "start-dev", "--ip", "0.0.0.0", "--log-level", "warn"]  # noqa: S104 - in the container
    command += ["--port", str(GRPC), "--http-port", str(HTTP)]
    command += ["--ui-port", str(UI)] if ui else ["--headless"]
    # A file in memory: quicker than the server's own in-memory database, which loses tables.
    command += ["--db-filename", f"{MEMORY}/temporal.db"]
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF"]
    for namespace in namespaces:
        command += ["--namespace", namespace]
    for key, value in dynamic_config.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    return command


@dataclass(frozen=True)
class ContainerRecord:
    """A container whose server answers.

    Attributes:
        container: Its id.
        address: The server, as `host:port`.
        http: Host and port of the server's HTTP API.
        ui_url: The Web UI; None where it is off.
        version: The server's version.
        supervisor: The process that removes it; None for a container that is kept.
    """

    container: str
    address: str
    http: tuple[str, int]
    ui_url: str | None
    version: str
    supervisor: ProcessIdentity | None

    @classmethod
    def read(cls, folder: Path) -> ContainerRecord | None:
        """The record in a folder; None if no container runs."""
        try:
            data: dict[str, Any] = json.loads((folder / RECORD).read_text())
        except (FileNotFoundError, ValueError):
            return None
        supervisor = None if data["supervisor"] is None else ProcessIdentity(**data["supervisor"])
        return cls(**{**data, "http": tuple(data["http"]), "supervisor": supervisor})

    def write(self, folder: Path) -> None:
        """Replace the record in a folder in one step."""
        temporary = folder / f".{RECORD}.tmp"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(folder / RECORD)


def folder_of(name: str) -> Path:
    """The folder of the container of that name: its leases, its record and the supervisor's log."""
    return Paths.default().state / "containers" / name


def lock_path(folder: Path) -> Path:
    """The lock to hold while the container of a folder is started or ended."""
    return folder.with_name(f"{folder.name}.lock")
