"""The errors of this distribution, one class per case: message, details, hint and the exit code of the command line.

The library raises errors and never prints; the command line prints them. Feature packages define their own subclasses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PACKAGES = ("devserver", "temporaltest")  # where the error classes of this distribution are


class DevServerError(Exception):
    """A failure that the user can act on.

    Subclasses take the same arguments, so that every error can be pickled and sent as JSON to another process.

    Args:
        message: What went wrong, in one sentence.
        details: What was found (paths, versions, the end of a log), one line each.
        hint: What to do next.

    Attributes:
        exit_code: The exit code of a command that fails with this error.
    """

    exit_code = 1

    def __init__(self, message: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle details and hint too: xdist and process pools send errors that way."""
        return (_rebuild, (type(self), self.message, self.details, self.hint))

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.details)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The error as JSON: `error` and `module` (the class), `message`, `details` (a list of lines), `hint`."""
        return {
            "error": type(self).__name__,
            "module": type(self).__module__,
            "message": self.message,
            "details": list(self.details),
            "hint": self.hint,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> DevServerError:
        """The error that `to_json` wrote, of the same class; DevServerError if this version has no such class."""
        cls = _class_named(str(data.get("module", __name__)), str(data.get("error")))
        return cls(str(data["message"]), details=data.get("details", ()), hint=data.get("hint"))


def _rebuild(cls: type[DevServerError], message: str, details: tuple[str, ...], hint: str | None) -> DevServerError:
    return cls(message, details=details, hint=hint)


def _class_named(module: str, name: str) -> type[DevServerError]:
    """The error class of this distribution with that name; its module is imported if it is not loaded yet."""
    found = None
    if module.partition(".")[0] in PACKAGES:
        from importlib import import_module

        try:
            found = getattr(import_module(module), name, None)
        except ImportError:
            found = None
    return found if isinstance(found, type) and issubclass(found, DevServerError) else DevServerError


# Settings and options


class OptionError(DevServerError):
    """An option, a setting or an environment variable has an invalid value."""

    exit_code = 2


class ConfigFileError(OptionError):
    """A file with settings is malformed: [tool.devserver] of a pyproject.toml, or temporal-devserver.toml."""


# Folders


class UntrustedSettings(DevServerError):
    """A checkout's settings choose what is executed or who reaches the server, and the user has not trusted them."""


class UnsafeFolder(DevServerError):
    """Another user owns one of our folders or may write to it."""


class FolderNotWritable(DevServerError):
    """One of our files or folders cannot be written: permissions, or a read-only or full disk."""


# The executable


class BinaryNotFound(DevServerError):
    """No source has the requested executable."""


class NotTemporal(DevServerError):
    """The file exists but is not a working Temporal executable."""


class VersionRefused(DevServerError):
    """Security advisories apply to this version, and the user did not name it."""


class ChecksumMismatch(DevServerError):
    """The SHA-256 of the executable is not the pinned one."""


class UnpinnedVersion(DevServerError):
    """The version has no pinned SHA-256, and one is required."""


class DownloadFailed(DevServerError):
    """A source did not answer, or its answer is an error or cannot be used."""


class ArchiveError(DownloadFailed):
    """An archive is truncated or unsafe, or the expected file is missing in it."""


class OfflineError(DevServerError):
    """The network is needed, and `--offline` forbids it."""


# Starting and running


class StartFailed(DevServerError):
    """The server did not start; the details are the last lines of its log."""


class PortTaken(StartFailed):
    """Another process listens on the requested port."""


class PortLost(PortTaken):
    """Another process took a port that we chose, before the server listened on it: a new start chooses another."""


class StartTimeout(StartFailed):
    """The server was not ready within the limit."""


class NamespaceRefused(DevServerError):
    """Temporal rejects the name or the settings of a namespace."""


class SearchAttributeRefused(DevServerError):
    """Temporal rejects a search attribute: its name is reserved, it has another type already, or it is one too many."""


class NexusEndpointRefused(DevServerError):
    """A Nexus endpoint points elsewhere, or Temporal rejects it."""


class InstanceRunning(DevServerError):
    """The instance is running, so the operation is impossible or has no effect."""


class InstanceNotRunning(DevServerError):
    """The instance is not running."""


class CannotAsk(DevServerError):
    """The server does not answer, or refuses to, so the result is unknown. Monitors recognize it by its exit code."""

    exit_code = 4


class NotFound(DevServerError):
    """What was asked for does not exist: an instance, a snapshot, a schedule, a deployment, a build."""

    exit_code = CannotAsk.exit_code


class TimeSkippingUnavailable(DevServerError):
    """The SDK or the server does not skip time."""


class ClockCapped(DevServerError):
    """The server has skipped time as often as it may for a workflow, so its virtual clock stopped."""


class ClockMoveReplaced(DevServerError):
    """Another call moved a workflow's virtual clock before the move had arrived."""


class InstanceUnknown(NotFound):
    """No instance has that name."""


class StopFailed(DevServerError):
    """A supervisor or server process did not end within the limit."""


# The database


class DatabaseError(DevServerError):
    """The database file cannot be used."""


class DatabaseInUse(DatabaseError):
    """Another server owns the database file."""


class DatabaseFull(DatabaseError):
    """There is no room for what the server writes."""


class DatabaseCorrupt(DatabaseError):
    """The file is not an intact SQLite database of Temporal."""


class DatabaseTooNew(DatabaseError):
    """A newer server than this one wrote the file."""


class DatabaseTooOld(DatabaseError):
    """An older server wrote the file, and it cannot or must not be upgraded."""


class UnsupportedPlatform(DevServerError):
    """This operating system or processor is not supported."""
