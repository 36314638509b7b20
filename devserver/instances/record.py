"""What is written down about an instance, and read by everyone who wants to know of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config.server_options import DEFAULT_NAME, Ports, ServerOptions
from ..errors import DevServerError
from ..system.addresses import bracketed, client_host
from ..system.files import refuse_unsafe, unreadable, write_private
from ..system.paths import Paths
from ..system.process import ProcessIdentity

FILE = "record.json"
ANONYMOUS = "~"

STARTING = "starting"
READY = "ready"
STOPPING = "stopping"
STOPPED = "stopped"
CRASHED = "crashed"


@dataclass(frozen=True)
class Record:
    """One instance: what it runs with, where it answers, which processes it is.

    `state` is what was last written: `state_now` takes into account that processes may have been killed.
    `version` is the CLI's, `server_version` the server's; `exit` says why it crashed.
    """

    name: str
    state: str
    supervisor: ProcessIdentity
    server: ProcessIdentity | None
    ports: Ports
    options: ServerOptions
    version: str
    server_version: str
    executable: Path
    database: Path
    namespaces: tuple[str, ...]
    held: bool
    linger: float
    started_at: str
    exit: str | None = None

    @property
    def host(self) -> str:
        """The address clients use."""
        return client_host(self.options.bind)

    @property
    def address(self) -> str:
        """`host:port` of the gRPC frontend."""
        return f"{bracketed(self.host)}:{self.ports.grpc}"

    @property
    def ui_url(self) -> str | None:
        """The Web UI's address; None where it is off."""
        if self.ports.ui is None:
            return None
        path = (self.options.ui_public_path or "").strip("/")
        host = bracketed(client_host(self.options.ui_address))
        return f"http://{host}:{self.ports.ui}" + (f"/{path}" if path else "")

    @property
    def http_url(self) -> str:
        """Where Temporal's HTTP API answers."""
        return f"http://{bracketed(self.host)}:{self.ports.http}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus reads."""
        return f"http://{bracketed(self.host)}:{self.ports.metrics}/metrics"

    @property
    def namespace(self) -> str:
        """The namespace clients use unless told otherwise: the first one asked for."""
        return self.namespaces[0]

    @property
    def anonymous(self) -> bool:
        """Whether the instance is its holders' alone and vanishes with them."""
        return self.name.startswith(ANONYMOUS)

    def supervised(self) -> bool:
        """Whether its supervisor lives."""
        return self.supervisor.alive()

    def state_now(self) -> str:
        """`state`, corrected for processes that were killed since it was written."""
        if self.state in (STOPPED, CRASHED):
            return self.state
        if not self.supervised() or (self.state == READY and not (self.server and self.server.alive())):
            return CRASHED
        return self.state

    def running(self) -> bool:
        """Whether a server is there or about to be."""
        return self.state_now() in (STARTING, READY)

    def to_json(self) -> dict[str, Any]:
        """The form on disk."""
        data = asdict(self) | {"options": self.options.to_json()}
        return data | {key: str(data[key]) for key in ("executable", "database")}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """What `to_json` wrote."""
        values = dict(data)
        values["supervisor"] = ProcessIdentity(**values["supervisor"])
        values["server"] = ProcessIdentity(**values["server"]) if values["server"] else None
        values["ports"] = Ports(**values["ports"])
        values["options"] = ServerOptions.from_json(values["options"])
        values["executable"] = Path(values["executable"])
        values["database"] = Path(values["database"])
        values["namespaces"] = tuple(values["namespaces"])
        return cls(**values)

    def changed(self, **values: Any) -> Record:
        """A copy with other values."""
        return replace(self, **values)


def up(name: str) -> str:
    """The command that starts the instance."""
    return _command("up", name)


def down(name: str) -> str:
    """The command that stops it."""
    return _command("down", name)


def _command(verb: str, name: str) -> str:
    return f"devserver {verb}" if name == DEFAULT_NAME else f"devserver {verb} --name {name}"


def write_record(folder: Path, record: Record) -> None:
    """Write `record` into the instance's state folder."""
    write_private(folder / FILE, json.dumps(record.to_json(), indent=2))


def load(folder: Path) -> Record:
    """The record in a state folder; raises whatever a missing or damaged one brings about."""
    return Record.from_json(json.loads((folder / FILE).read_text()))


def read_record(paths: Paths, name: str) -> Record | None:
    """The record of the instance `name`, or None where there is none.

    Raises:
        UnsafeFolder: Others may write where it is.
        DevServerError: The record cannot be read: it was damaged or written by another version.
    """
    path = paths.instance(name) / FILE
    _refuse_unsafe(paths, path.parent)
    try:
        return load(path.parent)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, OSError, DevServerError) as error:
        raise DevServerError(
            f"the record of the instance {name} cannot be read: {path}",
            details=[f"{type(error).__name__}: {error}"],
            hint=f"the database is not touched by this; remove {path} and run {up(name)} again",
        ) from error


def _refuse_unsafe(paths: Paths, *folders: Path) -> None:
    """A record says which executable to run and which process to end: nobody else may write one."""
    for folder in (paths.state, paths.instances, *folders):
        refuse_unsafe(folder)


def names(paths: Paths) -> list[str]:
    """The instances that have a state folder, by name."""
    _refuse_unsafe(paths)
    try:
        return sorted(entry.name for entry in paths.instances.iterdir() if (entry / FILE).is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(paths.instances, error) from error
