"""The start of one server: its process, readiness, namespaces and search attributes."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Sequence

from ..system.ports import bracketed, client_host
from ..system.process import ProcessIdentity
from ..system.spawn import Child, client_free_environment, collecting_late, spawn_bound
from .http_api import CALL_SECONDS, HttpApi, NotAnswering
from .log import log_tail
from .namespaces import DEFAULT_NAMESPACE, NamespaceSettings, ensure_namespaces
from .spec import ServerSpec
from .start_errors import Seen, explain_exit, explain_refusal, explain_timeout

POLL_SECONDS = 0.004
PAUSED = "paused at a start of devserver with --pause-schedules"


class Launch:
    """One start of one server: call `begin`, then `until_ready`, then `prepare_namespaces`.

    Args:
        spec: The server.
        interrupted: Whether to stop waiting.
        started: The pid of the server if it was started already.
    """

    def __init__(self, spec: ServerSpec, interrupted: Callable[[], bool], started: int | None = None) -> None:
        self._spec = spec
        self._interrupted = interrupted
        self._deadline = math.inf
        self._found: str | None = None
        self.process: Child | None = None if started is None else Child(started)
        self.http_api = HttpApi(client_host(spec.options.bind), spec.ports.http, limit=min(CALL_SECONDS, spec.wait))

    def begin(self) -> Child:
        """Start the process, if it was not started already.

        Raises:
            StartFailed: The operating system refuses to run the executable.
        """
        self._deadline = time.monotonic() + self._spec.wait
        if self.process is None:
            environ = client_free_environment(os.environ)
            if self._spec.options.ephemeral:
                environ = collecting_late(environ)
            try:
                self.process = spawn_bound(self._spec.command, log=self._spec.log, environ=environ)
            except OSError as error:
                raise explain_refusal(self._spec, error) from error
        return self.process

    def ended(self) -> int | None:
        """The exit code of the process; None while it is running."""
        return None if self.process is None else self.process.poll()

    def end(self) -> None:
        """End the process, and wait until it has ended; an ephemeral server has no state to write first."""
        identity = None if self.process is None else ProcessIdentity.of(self.process.pid)
        if self.process is None or identity is None:
            return
        if self._spec.options.ephemeral:
            identity.kill()
        else:
            identity.end(self._spec.stop)
        self.process.wait()

    def until_ready(self) -> None:
        """Wait until the server serves the namespace `default`: an open port is not enough.

        Raises:
            StartFailed, DatabaseError, FolderNotWritable: The process ended; the message has the reason.
            StartTimeout, FolderNotWritable: The server was not ready within the limit.
            KeyboardInterrupt: `interrupted` was true.
        """
        self._until(self._serves_default)

    def _serves_default(self) -> bool:
        self._found = self.http_api.problem(DEFAULT_NAMESPACE)
        return self._found is None

    def _until(self, condition: Callable[[], bool], goal: str | None = None) -> None:
        """Wait for a condition; `goal` is what the server does then, None for being ready."""
        while True:
            if self._interrupted():
                raise KeyboardInterrupt
            self._found = None
            try:
                if condition():
                    return
            except NotAnswering as error:
                self._found = str(error)
            code = self.ended()
            if code is not None:
                raise explain_exit(self._spec, code, log_tail(self._spec.log), self._spec.ports)
            if time.monotonic() > self._deadline:
                raise explain_timeout(self._spec, log_tail(self._spec.log), self._seen(goal))
            time.sleep(POLL_SECONDS)

    def _seen(self, goal: str | None) -> Seen:
        identity = None if self.process is None else ProcessIdentity.of(self.process.pid)
        if identity is None:
            return Seen(goal, self._found)
        return Seen(goal, self._found, stopped=identity.stopped(), cpu_seconds=identity.cpu_seconds())

    def prepare_namespaces(self, warn: Callable[[str], None]) -> None:
        """Create or update each namespace, with retention and search attributes, and wait until the server serves it.

        `warn` receives what a setting takes away from an existing namespace.

        Raises:
            NamespaceRefused, SearchAttributeRefused: Temporal rejects a setting; the message has its reason.
        """
        options = self._spec.options
        settings = NamespaceSettings(
            retention=options.retention,
            search_attributes=dict(options.search_attributes),
            executable=self._spec.executable,
            address=f"{bracketed(client_host(options.bind))}:{self._spec.ports.grpc}",
        )
        ensure_namespaces(self.http_api, self._spec.namespaces, settings, self._until, warn)

    def pause_schedules(self, schedules: Sequence[tuple[str, str]]) -> None:
        """Pause schedules (namespace and id).

        Raises:
            StartFailed: Temporal refuses.
        """
        for namespace, schedule_id in schedules:
            pausing = functools.partial(self.http_api.pause_schedule, namespace, schedule_id, PAUSED)
            self._until(pausing, f"pause the schedule {schedule_id} of {namespace}")

    def until_paused(self, schedules: Sequence[tuple[str, str]]) -> None:
        """Wait until schedules are paused: one that is unpaused before would catch up."""
        wanted: dict[str, set[str]] = {}
        for namespace, schedule_id in schedules:
            wanted.setdefault(namespace, set()).add(schedule_id)
        for namespace, ids in wanted.items():
            self._until(
                functools.partial(self._are_paused, namespace, ids), f"list the schedules of {namespace} as paused"
            )

    def _are_paused(self, namespace: str, schedule_ids: set[str]) -> bool:
        return not schedule_ids & self.http_api.unpaused_schedules(namespace)
