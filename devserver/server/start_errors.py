"""Why a server ended before it was ready: from its exit code and its log to an error with a cause and a hint."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DatabaseCorrupt, DatabaseError, FolderNotWritable, PortLost, PortTaken, StartFailed, StartTimeout
from ..system.ports import port_taken
from .command_line import Ports
from .http_api import ALLOWED_HOSTS, HOST, HOST_REFUSED
from .log import log_tail

if TYPE_CHECKING:
    from .spec import ServerSpec

_IN_USE = re.compile(r"(?:listen|bind)\S* .*?:(\d+): .*address already in use|port (\d+).*already in use")

NO_ROOM = r"disk is full|no space left"  # what a server logs when a write finds no room
# What a killed server has logged before is not why it ended.
# Windows, where this can be imported, has not all of them.
KILLED_FROM_OUTSIDE = tuple(
    getattr(signal, name) for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)

_OPTIONS = {"grpc": "--port", "http": "--http-port", "ui": "--ui-port", "metrics": "--metrics-port"}


def explain_exit(
    spec: ServerSpec, code: int | None, lines: Sequence[str], ports: Ports | None = None
) -> DatabaseError | FolderNotWritable | StartFailed:
    """The error for a server that ended before it was ready.

    Args:
        spec: The server.
        code: The exit code; the negated number of the signal that ended it.
        lines: The last lines of its log.
        ports: The ports that it was to listen on.
    """
    text = "\n".join(lines)
    found = _IN_USE.search(text)
    if found:
        port = int(found.group(1) or found.group(2))
        option = _option(port, ports)
        kind = PortTaken if option and spec.requires_port(port) else PortLost
        return port_taken(spec.options.bind, port, option or "--port", kind=kind)
    details = log_details(lines)
    if code is not None and -code in KILLED_FROM_OUTSIDE:
        return StartFailed(
            f"the server was killed by signal {-code} before it was ready",
            details=details,
            hint="something else ended it: a person or program, or the kernel because memory ran out. Start it again",
        )
    for pattern, make in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return make(spec, details)
    hint = f"check that the executable works ({spec.executable} --version), or run devserver doctor"
    how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
    return StartFailed(
        f"the server {how} before it was ready",
        details=details,
        hint=_log_is_off(spec) or hint,
    )


@dataclass(frozen=True)
class Seen:
    """What was seen of a server at the end of the wait for it.

    Attributes:
        goal: What it did not do, such as `serve the namespace a`; None if it was not ready.
        answer: Its last answer, or that it gave none; None if the answer says nothing.
        stopped: Whether a signal has stopped its process.
        cpu_seconds: The CPU time that its process has used; None if unknown.
    """

    goal: str | None = None
    answer: str | None = None
    stopped: bool = False
    cpu_seconds: float | None = None

    def lines(self) -> list[str]:
        """What was seen, a fact a line."""
        found = [] if self.answer is None else [self.answer]
        if self.cpu_seconds is not None:
            load = f"the load of the machine is {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
            found.append(f"its process has used {self.cpu_seconds:.1f} s of CPU time; {load}")
        return found


def explain_timeout(spec: ServerSpec, lines: Sequence[str], seen: Seen) -> FolderNotWritable | StartTimeout:
    """The error for a server that was not ready in time."""
    details = [*seen.lines(), *log_details(lines)]
    text = f"the server {'was not ready' if seen.goal is None else f'did not {seen.goal}'} within {spec.wait:g} s"
    if seen.stopped:
        return StartTimeout(
            f"{text}: a signal has stopped its process",
            details=details,
            hint="find what sent the signal, such as a debugger or a terminal, and start the server again",
        )
    if re.search(NO_ROOM, "\n".join(lines), re.IGNORECASE):
        return _full(spec, log_details(lines))
    if HOST_REFUSED in (seen.answer or ""):
        return StartTimeout(
            f"{text}: its HTTP API refuses the host {HOST}, by which devserver asks whether it is ready",
            details=details,
            hint=f"{ALLOWED_HOSTS} in its configuration must include {HOST}",
        )
    more = _log_is_off(spec) or f"see the log: {spec.log}"
    return StartTimeout(text, details=details, hint=f"allow more time with --timeout, or {more}")


def explain_refusal(spec: ServerSpec, error: OSError) -> StartFailed:
    """The error for an executable that the operating system refuses to run."""
    return StartFailed(
        f"cannot run {spec.executable}: {error.strerror or error}",
        hint="check that the file exists, is executable and was built for this machine, "
        "or get another one with devserver install",
    )


def _log_is_off(spec: ServerSpec) -> str | None:
    """The hint for a server that logs nothing, so that nothing can be said about the cause."""
    off = spec.options.log_level == "never"
    return "start it with --log-level error, which shows the cause: its log is off (--log-level never)" if off else None


def log_details(lines: Sequence[str]) -> list[str]:
    """The last lines of a server's log as the details of an error."""
    return ["last lines of its log:", *lines] if lines else ["its log is empty"]


def _option(port: int, ports: Ports | None) -> str | None:
    """The option that sets the port; None for a port that the server's inner services choose."""
    for name, option in _OPTIONS.items():
        if ports is not None and getattr(ports, name) == port:
            return option
    return None


def _full(spec: ServerSpec, details: Sequence[str]) -> FolderNotWritable:
    return FolderNotWritable(
        f"cannot write {spec.database}: the disk is full or read-only",
        details=details,
        hint=f"free some space in {spec.database.parent.parent}, or use a larger --ephemeral-size"
        if spec.options.ephemeral
        else "free some space, or put the database elsewhere with --db-filename",
    )


def _locked(spec: ServerSpec, details: Sequence[str]) -> DatabaseError:
    return DatabaseError(
        f"the database {spec.database} is locked by another process",
        details=details,
        hint="stop the process that has it open (devserver doctor names it), or use another file with --db-filename",
    )


def _corrupt(spec: ServerSpec, details: Sequence[str]) -> DatabaseError:
    return DatabaseCorrupt(
        f"the database {spec.database} is damaged, or is not a Temporal database",
        details=details,
        hint="restore a snapshot (devserver snapshot list), or delete the state with devserver reset",
    )


_CAUSES: tuple[tuple[str, Callable[..., DatabaseError | FolderNotWritable]], ...] = (
    (rf"{NO_ROOM}|disk I/O error|read-?only", _full),
    (r"database is locked|SQLITE_BUSY", _locked),
    (r"malformed|not a database|no such table|no such column", _corrupt),
)


def explain_crash(spec: ServerSpec, reason: str | None, start: str) -> StartFailed:
    """The error for a server that ended by itself while it was ready; `start` is the command that starts it."""
    state = "its state is lost" if spec.options.ephemeral else "its database has all acknowledged changes"
    return StartFailed(
        f"the server of the instance {spec.name} crashed ({reason})",
        details=log_details(log_tail(spec.log)),
        hint=f"{state}; start it again with: {start}",
    )
