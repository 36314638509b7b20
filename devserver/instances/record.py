"""The record of an instance: what it runs with, where it answers, and which processes it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.option_values import DEFAULT_NAME
from ..config.server_options import ServerOptions
from ..database.overdue import Overdue
from ..server.command_line import Ports
from ..system.filelocks import LockedFile
from ..system.ports import bracketed, client_host
from ..system.process import ProcessIdentity
from ..system.timefmt import utc_now

if TYPE_CHECKING:
    from ..server.spec import ServerSpec

ANONYMOUS = "~"  # how the names of instances without a name begin

STARTING = "starting"
READY = "ready"
STOPPING = "stopping"
STOPPED = "stopped"
CRASHED = "crashed"
ELSEWHERE = "running elsewhere"  # never written: it runs in another container or on another machine with the same home


@dataclass(frozen=True)
class Record:
    """One instance, as its supervisor last wrote it.

    Attributes:
        name: The name of the instance.
        state: The state when the record was written; `state_now` allows for processes that were killed since.
        supervisor: The supervisor's process.
        server: The server's process; None if there is none.
        ports: The ports that the server listens on.
        options: The options of the server.
        version: The version of the Temporal CLI, such as `1.9.1`.
        server_version: The version of the server, such as `1.32.0`.
        executable: The Temporal CLI.
        database: The SQLite file.
        namespaces: All namespaces that exist for certain, the clients' default one first.
        held: Whether the server runs only while processes hold leases.
        linger: Seconds for which it runs after the last lease.
        started_at: The start in UTC, ISO 8601.
        exit: Why the server crashed.
        sha256: The SHA-256 of the executable.
        overdue: What had come due when the server started; None if it could not be read, the database was new, or the
            last server had just ended.
        supervisor_lock: The file that the supervisor keeps locked; not written, because another container may have the
            home at another path.
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
    sha256: str | None = None
    overdue: Overdue | None = None
    supervisor_lock: Path | None = field(default=None, compare=False)

    @classmethod
    def starting(cls, spec: ServerSpec, pid: int, overdue: Overdue | None) -> Record:
        """The first record of a server that this process supervises; `pid` is the server's."""
        return cls(
            name=spec.name,
            state=STARTING,
            supervisor=ProcessIdentity.own(),
            server=ProcessIdentity.of(pid),
            ports=spec.ports,
            options=spec.options,
            version=spec.version,
            server_version=spec.server_version,
            executable=spec.executable,
            database=spec.database,
            namespaces=spec.namespaces,
            held=spec.held,
            linger=spec.linger,
            started_at=utc_now(),
            sha256=spec.sha256,
            overdue=overdue,
        )

    @property
    def host(self) -> str:
        """The host that clients connect to."""
        return client_host(self.options.bind)

    @property
    def address(self) -> str:
        """`host:port` of the gRPC frontend."""
        return f"{bracketed(self.host)}:{self.ports.grpc}"

    @property
    def ui_url(self) -> str | None:
        """The URL of the Web UI; None if it is off."""
        if self.ports.ui is None:
            return None
        path = (self.options.ui_public_path or "").strip("/")
        host = bracketed(client_host(self.options.ui_address))
        return f"http://{host}:{self.ports.ui}" + (f"/{path}" if path else "")

    @property
    def http_url(self) -> str:
        """The URL of Temporal's HTTP API."""
        return f"http://{bracketed(self.host)}:{self.ports.http}"

    @property
    def metrics_url(self) -> str:
        """The URL of the server's Prometheus metrics."""
        return f"http://{bracketed(self.host)}:{self.ports.metrics}/metrics"

    @property
    def namespace(self) -> str:
        """The default namespace for clients: the first one requested."""
        return self.namespaces[0]

    def supervised(self) -> bool:
        """Whether the supervisor is alive: by its pid, or by its lock where the pid says nothing."""
        return self.elsewhere() if self.supervisor.foreign else self.supervisor.alive()

    def elsewhere(self) -> bool:
        """Whether the supervisor runs in another container, or on another machine, that shares this home."""
        lock = self.supervisor_lock
        # Without the file nobody can tell: an instance of another version, which must not be touched.
        return self.supervisor.foreign and lock is not None and (LockedFile.is_held(lock) or not lock.exists())

    def state_now(self) -> str:
        """`state`; `crashed` if a process was killed since the record was written; `running elsewhere`."""
        if self.state in (STOPPED, CRASHED):
            return self.state
        if self.elsewhere():
            return ELSEWHERE
        if not self.supervised() or (self.state == READY and not (self.server and self.server.alive())):
            return CRASHED
        return self.state

    def running(self) -> bool:
        """Whether the server is ready or starting, also elsewhere."""
        return self.state_now() in (STARTING, READY, ELSEWHERE)

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        data = asdict(self) | {"options": self.options.to_json()}
        del data["supervisor_lock"]
        return data | {key: str(data[key]) for key in ("executable", "database")}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The record that `to_json` wrote."""
        values = dict(data)
        values["supervisor"] = ProcessIdentity(**values["supervisor"])
        values["server"] = ProcessIdentity(**values["server"]) if values["server"] else None
        values["ports"] = Ports(**values["ports"])
        values["options"] = ServerOptions.from_json(values["options"])
        values["executable"] = Path(values["executable"])
        values["database"] = Path(values["database"])
        values["namespaces"] = tuple(values["namespaces"])
        values["overdue"] = Overdue.from_json(values["overdue"]) if values.get("overdue") else None
        return cls(**values)

    def changed(self, **values: Any) -> Record:
        """A copy with other values."""
        return replace(self, **values)


def up_command(name: str) -> str:
    """The command that starts the instance."""
    return _command("up", name)


def down_command(name: str) -> str:
    """The command that stops the instance."""
    return _command("down", name)


def _command(verb: str, name: str) -> str:
    return f"devserver {verb}" if name == DEFAULT_NAME else f"devserver {verb} --name {name}"
