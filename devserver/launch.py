"""From a spec to a server that is ready: ports, process, readiness, namespaces, search attributes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .errors import FolderNotWritable, StartTimeout
from .failures import explain_exit
from .frontend import Frontend, NotAnswering
from .namespaces import DEFAULT_NAMESPACE, Wanted, ensure_namespace
from .options import DEFAULT_PORT, UI_PORT_OFFSET, Ports, ServerOptions, command_line
from .ports import Reservation, reserve, reserve_preferred
from .process import client_free_environment, spawn_bound
from .record import LOG, RUN_MARK, log_tail

DEFAULT_NAME = "default"
ROTATE_BYTES = 20_000_000
POLL_SECONDS = 0.004


@dataclass(frozen=True)
class Spec:
    """All a supervisor needs to know, as its starter decided it.

    `preferred` are the ports of the last time; `held` says that leases keep the server up, for `linger` seconds
    after the last one fell; `wait` limits the start, `stop` a graceful end, both in seconds.
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
    preferred: Ports | None = None
    held: bool = False
    linger: float = 0.0
    wait: float = 30.0
    stop: float = 10.0

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those asked for first, and `default`, which the server always makes."""
        return tuple(dict.fromkeys((*self.options.namespaces, DEFAULT_NAMESPACE)))

    def to_json(self) -> dict[str, Any]:
        """The form in which it is handed to the supervisor."""
        data = asdict(self) | {"options": self.options.to_json()}
        return data | {field.name: str(data[field.name]) for field in fields(self) if field.type == "Path"}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spec:
        """What `to_json` wrote."""
        values = dict(data)
        for field in fields(cls):
            if field.type == "Path":
                values[field.name] = Path(values[field.name])
        values["options"] = ServerOptions.from_json(values["options"])
        values["preferred"] = Ports(**values["preferred"]) if values["preferred"] else None
        return cls(**values)


class Launch:
    """One start of one server: `begin`, then `until_ready`, then `prepare_namespaces`."""

    def __init__(self, spec: Spec, interrupted: Callable[[], bool]) -> None:
        self._spec = spec
        self._interrupted = interrupted
        self._deadline = time.monotonic() + spec.wait
        self._reserved: list[Reservation] = []
        self.log = spec.folder / LOG
        self.ports: Ports
        self.process: subprocess.Popen[bytes]
        self.frontend: Frontend

    def begin(self) -> None:
        """Reserve the ports and start the process.

        Raises:
            PortTaken: An asked for port is held by someone.
            StartFailed: The executable cannot be run.
        """
        spec = self._spec
        self.ports = self._reserve()
        _begin_log(self.log, spec)
        command = command_line(
            spec.options,
            executable=spec.executable,
            version=spec.version,
            ports=self.ports,
            database=spec.database,
        )
        try:
            self.process = spawn_bound(command, log=self.log, environ=client_free_environment(os.environ))
        except OSError as error:
            raise explain_exit(spec, error.errno, [str(error)]) from error
        self.frontend = Frontend(spec.options.bind, self.ports.http)

    def _reserve(self) -> Ports:
        try:
            return self._choose()
        except BaseException:
            self.release_ports()
            raise

    def _choose(self) -> Ports:
        options, last = self._spec.options, self._spec.preferred
        wanted = options.port
        if wanted is None and self._spec.name == DEFAULT_NAME:
            wanted = DEFAULT_PORT
        grpc = self._one(wanted, last.grpc if last else None, "--port")
        usual_ui = grpc + UI_PORT_OFFSET if grpc + UI_PORT_OFFSET < 65536 else None
        ui = self._one(options.ui_port, (last.ui if last else None) or usual_ui, "--ui-port") if options.ui else None
        return Ports(
            grpc=grpc,
            ui=ui,
            http=self._one(options.http_port, last.http if last else None, "--http-port"),
            metrics=self._one(options.metrics_port, last.metrics if last else None, "--metrics-port"),
        )

    def _one(self, wanted: int | None, preferred: int | None, option: str) -> int:
        host = self._spec.options.bind
        reservation = reserve_preferred(host, preferred) if wanted is None else reserve(host, wanted, option)
        self._reserved.append(reservation)
        return reservation.port

    def release_ports(self) -> None:
        """Give up the reservations: the server listens now, or never will."""
        while self._reserved:
            self._reserved.pop().release()

    def until_ready(self) -> None:
        """Wait until the frontend serves `default`, not only until a port is open.

        Raises:
            StartFailed: The process ended; says why.
            StartTimeout: It did not answer within the limit.
            KeyboardInterrupt: We were asked to stop.
        """
        self._until(lambda: self.frontend.serves(DEFAULT_NAMESPACE))
        self.release_ports()

    def _until(self, condition: Callable[[], bool]) -> None:
        while True:
            if self._interrupted():
                raise KeyboardInterrupt
            try:
                if condition():
                    return
            except NotAnswering:
                pass
            code = self.process.poll()
            if code is not None:
                raise explain_exit(self._spec, code, log_tail(self.log), self.ports)
            if time.monotonic() > self._deadline:
                raise StartTimeout(
                    f"the server did not become ready within {self._spec.wait:g} s",
                    details=["last lines of its log:", *log_tail(self.log)],
                    hint=f"wait longer with --wait, or see the whole log: {self.log}",
                )
            time.sleep(POLL_SECONDS)

    def prepare_namespaces(self) -> None:
        """Ensure each namespace with its retention and its search attributes, and wait until they answer.

        Raises:
            NamespaceRefused, SearchAttributeRefused: Temporal refuses; with its own words.
        """
        options = self._spec.options
        wanted = Wanted(
            retention=options.retention,
            search_attributes=dict(options.search_attributes),
            executable=self._spec.executable,
            address=f"{options.bind}:{self.ports.grpc}",
        )
        for namespace in self._spec.namespaces:
            ensure_namespace(self.frontend, namespace, wanted, self._until)


def _begin_log(log: Path, spec: Spec) -> None:
    """Mark where this run begins; keep one old log where the log has grown large."""
    try:
        if log.stat().st_size > ROTATE_BYTES:
            log.replace(log.with_suffix(".log.1"))
    except FileNotFoundError:
        pass
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(f"{RUN_MARK} temporal {spec.version} (server {spec.server_version}) at {now}\n")
    except OSError as error:
        raise FolderNotWritable(
            f"cannot write the log {log}: {error.strerror}",
            hint="free some space, or set DEVSERVER_HOME to another folder",
        ) from error


def unsupported() -> bool:
    """Whether this system lacks what a supervisor needs."""
    return sys.platform == "win32"
