"""From a spec to a server that is ready: ports, process, readiness, namespaces, search attributes."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..config.server_options import DEFAULT_PORT, Ports, ServerOptions
from ..errors import StartTimeout
from ..instances.record import LOG, bracketed, client_host, log_tail
from ..instances.supervisor_main import Child, client_free_environment, spawn_bound
from .http_api import CALL_SECONDS, Frontend, NotAnswering
from .namespaces import DEFAULT_NAMESPACE, Wanted, ensure_namespaces
from .start_errors import explain_exit, explain_refusal, last_words

POLL_SECONDS = 0.004


@dataclass(frozen=True)
class Spec:
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
    def from_json(cls, data: Mapping[str, Any]) -> Spec:
        """What `to_json` wrote."""
        values = dict(data)
        for field in fields(cls):
            if field.type == "Path":
                values[field.name] = Path(values[field.name])
        values["options"] = ServerOptions.from_json(values["options"])
        values["ports"] = Ports(**values["ports"])
        values["command"] = tuple(values["command"])
        return cls(**values)


class Launch:
    """One start of one server: `begin`, then `until_ready`, then `prepare_namespaces`."""

    def __init__(self, spec: Spec, interrupted: Callable[[], bool], started: int | None = None) -> None:
        self._spec = spec
        self._interrupted = interrupted
        self._deadline = math.inf
        self.process: Child | None = None if started is None else Child(started)
        self.frontend = Frontend(client_host(spec.options.bind), spec.ports.http, limit=min(CALL_SECONDS, spec.wait))

    def begin(self) -> Child:
        """Start the process, unless `boot` has done so.

        Raises:
            StartFailed: The executable cannot be run.
        """
        self._deadline = time.monotonic() + self._spec.wait
        if self.process is None:
            environ = client_free_environment(os.environ)
            try:
                self.process = spawn_bound(self._spec.command, log=self._spec.log, environ=environ)
            except OSError as error:
                raise explain_refusal(self._spec, error) from error
        return self.process

    def ended(self) -> int | None:
        """The process' return code, if it has begun and ended."""
        return None if self.process is None else self.process.poll()

    def until_ready(self) -> None:
        """Wait until the frontend serves `default`, not only until a port is open.

        Raises:
            StartFailed: The process ended; says why.
            StartTimeout: It did not answer within the limit.
            KeyboardInterrupt: We were asked to stop.
        """
        self._until(lambda: self.frontend.serves(DEFAULT_NAMESPACE))

    def _until(self, condition: Callable[[], bool]) -> None:
        while True:
            if self._interrupted():
                raise KeyboardInterrupt
            try:
                if condition():
                    return
            except NotAnswering:
                pass
            code = self.ended()
            if code is not None:
                raise explain_exit(self._spec, code, log_tail(self._spec.log), self._spec.ports)
            if time.monotonic() > self._deadline:
                raise StartTimeout(
                    f"the server did not become ready within {self._spec.wait:g} s",
                    details=last_words(log_tail(self._spec.log)),
                    hint=f"wait longer with --wait, or see the whole log: {self._spec.log}",
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
            address=f"{bracketed(client_host(options.bind))}:{self._spec.ports.grpc}",
        )
        ensure_namespaces(self.frontend, self._spec.namespaces, wanted, self._until)


def unsupported() -> bool:
    """Whether this system lacks what a supervisor needs."""
    return sys.platform == "win32"
