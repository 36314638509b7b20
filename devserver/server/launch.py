"""From a spec to a server that is ready: ports, process, readiness, namespaces, search attributes."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

from ..errors import StartTimeout
from ..system.addresses import bracketed, client_host
from ..system.spawn import Child, client_free_environment, spawn_bound
from .http_api import CALL_SECONDS, HttpApi, NotAnswering
from .log import log_tail
from .namespaces import DEFAULT_NAMESPACE, NamespaceSettings, ensure_namespaces
from .spec import ServerSpec
from .start_errors import explain_exit, explain_refusal, last_words

POLL_SECONDS = 0.004


class Launch:
    """One start of one server: `begin`, then `until_ready`, then `prepare_namespaces`."""

    def __init__(self, spec: ServerSpec, interrupted: Callable[[], bool], started: int | None = None) -> None:
        self._spec = spec
        self._interrupted = interrupted
        self._deadline = math.inf
        self.process: Child | None = None if started is None else Child(started)
        self.http_api = HttpApi(client_host(spec.options.bind), spec.ports.http, limit=min(CALL_SECONDS, spec.wait))

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
        self._until(lambda: self.http_api.serves(DEFAULT_NAMESPACE))

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
                    hint=f"wait longer with --timeout, or see the whole log: {self._spec.log}",
                )
            time.sleep(POLL_SECONDS)

    def prepare_namespaces(self) -> None:
        """Ensure each namespace with its retention and its search attributes, and wait until they answer.

        Raises:
            NamespaceRefused, SearchAttributeRefused: Temporal refuses; with its own words.
        """
        options = self._spec.options
        wanted = NamespaceSettings(
            retention=options.retention,
            search_attributes=dict(options.search_attributes),
            executable=self._spec.executable,
            address=f"{bracketed(client_host(options.bind))}:{self._spec.ports.grpc}",
        )
        ensure_namespaces(self.http_api, self._spec.namespaces, wanted, self._until)
