"""Why a server ended at its start: from its exit code and its last words to an error with a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..config.server_options import Ports
from ..errors import DatabaseCorrupt, DatabaseError, FolderNotWritable, PortLost, PortTaken, StartFailed
from ..system.ports import taken

if TYPE_CHECKING:
    from .spec import ServerSpec

_IN_USE = re.compile(r"(?:listen|bind)\S* .*?:(\d+): .*address already in use|port (\d+).*already in use")

_OPTIONS = {"grpc": "--port", "http": "--http-port", "ui": "--ui-port", "metrics": "--metrics-port"}


def explain_exit(
    spec: ServerSpec, code: int | None, lines: Sequence[str], ports: Ports | None = None
) -> DatabaseError | FolderNotWritable | StartFailed:
    """The error for a server that ended with `code` (negative: a signal's number) and said `lines` last."""
    text = "\n".join(lines)
    found = _IN_USE.search(text)
    if found:
        port = int(found.group(1) or found.group(2))
        option = _option(port, ports)
        kind = PortTaken if option and spec.asked_for(port) else PortLost
        return taken(spec.options.bind, port, option or "--port", kind=kind)
    details = last_words(lines)
    for pattern, make in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return make(spec, details)
    how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
    return StartFailed(
        f"the server {how} before it was ready",
        details=details,
        hint=f"try the executable by hand: {spec.executable} --version; or run: devserver doctor",
    )


def explain_refusal(spec: ServerSpec, error: OSError) -> StartFailed:
    """The error for an executable that the system will not run."""
    return StartFailed(
        f"cannot run {spec.executable}: {error.strerror or error}",
        hint="see that the file is there, is executable and is for this machine; "
        "or get another one with devserver install",
    )


def last_words(lines: Sequence[str]) -> list[str]:
    """The end of a server's log as an error's details."""
    return ["last lines of its log:", *lines] if lines else ["it wrote nothing to its log"]


def _option(port: int, ports: Ports | None) -> str | None:
    """What sets that port; None for one of those that the server's own services choose for themselves."""
    for name, option in _OPTIONS.items():
        if ports is not None and getattr(ports, name) == port:
            return option
    return None


def _full(spec: ServerSpec, details: Sequence[str]) -> FolderNotWritable:
    return FolderNotWritable(
        f"the disk that holds {spec.database} is full, or cannot be written",
        details=details,
        hint="free some space, or keep the database elsewhere with --db",
    )


def _locked(spec: ServerSpec, details: Sequence[str]) -> DatabaseError:
    return DatabaseError(
        f"the database {spec.database} is locked by another process",
        details=details,
        hint="stop what has it open (devserver doctor names it), or use another file with --db",
    )


def _corrupt(spec: ServerSpec, details: Sequence[str]) -> DatabaseError:
    return DatabaseCorrupt(
        f"the database {spec.database} is damaged or is not Temporal's",
        details=details,
        hint="restore a snapshot (devserver snapshot list), or start anew with devserver reset",
    )


_CAUSES: tuple[tuple[str, Callable[..., DatabaseError | FolderNotWritable]], ...] = (
    (r"disk is full|no space left|disk I/O error|read-?only", _full),
    (r"database is locked|SQLITE_BUSY", _locked),
    (r"malformed|not a database|no such table|no such column", _corrupt),
)
