"""What can go wrong, one class per case: a message, what was found, a hint, and the CLI's exit code.

The library raises these and never prints; the CLI prints them and never invents its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class DevServerError(Exception):
    """A failure a user can act on.

    Args:
        message: What was wanted and what happened, one sentence.
        details: What was found (paths, versions, last log lines), one entry per line.
        hint: What to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling with details and hint: xdist and process pools send errors that way."""
        return (_rebuild, (type(self), self.message, self.details, self.hint))

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.details)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The form in which a supervisor hands an error to whoever started it."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "details": list(self.details),
            "hint": self.hint,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> DevServerError:
        """The error that `to_json` wrote; an unknown class comes back as the base class."""
        cls = _by_name(str(data.get("error")))
        return cls(str(data["message"]), details=data.get("details", ()), hint=data.get("hint"))


def _rebuild(cls: type[DevServerError], message: str, details: tuple[str, ...], hint: str | None) -> DevServerError:
    return cls(message, details=details, hint=hint)


def _by_name(name: str) -> type[DevServerError]:
    found = globals().get(name)
    if isinstance(found, type) and issubclass(found, DevServerError):
        return found
    return DevServerError


# Settings and options


class OptionError(DevServerError):
    """An option, a setting or an environment variable has a value that cannot be used."""

    exit_code = 2


class ConfigFileError(OptionError):
    """The `[tool.devserver]` table of a pyproject.toml is malformed."""


# Folders


class UnsafeFolder(DevServerError):
    """A folder of ours belongs to someone else or may be written by others."""


class FolderNotWritable(DevServerError):
    """A folder or file of ours cannot be written: permissions, a read-only or a full disk."""


# The executable


class BinaryNotFound(DevServerError):
    """No source has the wanted executable."""


class NotTemporal(DevServerError):
    """The file exists but is not a Temporal executable, or does not answer as one."""


class VersionRefused(DevServerError):
    """Known advisories apply to this version and it was not asked for by name."""


class ChecksumMismatch(DevServerError):
    """The executable is not the one that was pinned."""


class UnpinnedVersion(DevServerError):
    """No pin is known for the version and pins are required."""


class DownloadFailed(DevServerError):
    """A source answered with an error, not at all, or with something that cannot be used."""


class ArchiveError(DownloadFailed):
    """An archive is truncated, unsafe, or lacks the file it should hold."""


class OfflineError(DevServerError):
    """The network would be needed and `--offline` forbids it."""


# Starting and running


class StartFailed(DevServerError):
    """The server did not start; the details hold its last log lines."""


class PortTaken(StartFailed):
    """Another process listens on the wanted port."""


class PortLost(PortTaken):
    """A port that nobody asked for, chosen because it was free, was taken before the server listened: try others."""


class StartTimeout(StartFailed):
    """The server started but was not ready within the limit."""


class NamespaceRefused(DevServerError):
    """Temporal refuses a namespace's name or settings."""


class SearchAttributeRefused(DevServerError):
    """Temporal refuses a search attribute: its type differs, or the limit of its type is reached."""


class InstanceRunning(DevServerError):
    """The instance runs, so what was asked cannot be done or would have no effect."""


class InstanceNotRunning(DevServerError):
    """The instance does not run."""


class CannotAsk(DevServerError):
    """A server gives no answer, or refuses one, so nothing is known of what was asked; monitors tell it by its code."""

    exit_code = 4


class InstanceUnknown(DevServerError):
    """There is no instance of that name."""


class StopFailed(DevServerError):
    """A process of ours did not end within the limit."""


# Worker deployments


class DeploymentUnknown(DevServerError):
    """There is no worker deployment of that name."""


class BuildUnknown(DevServerError):
    """The worker deployment has no build of that id."""


class DeploymentChanged(DevServerError):
    """Somebody else changed the worker deployment first, so nothing was done."""


class DeploymentRefused(DevServerError):
    """What was asked of a worker deployment would leave work without workers, or is not clear."""


# The database


class DatabaseError(DevServerError):
    """The database file cannot be used."""


class DatabaseInUse(DatabaseError):
    """Another server owns the database file."""


class DatabaseCorrupt(DatabaseError):
    """The file is not an intact SQLite database of Temporal."""


class DatabaseTooNew(DatabaseError):
    """The file was written by a newer server than the one to be started."""


class DatabaseTooOld(DatabaseError):
    """The file was written by an older server and cannot, or may not, be upgraded."""


class SnapshotUnknown(DevServerError):
    """There is no snapshot of that name."""


class SnapshotExists(DevServerError):
    """A snapshot of that name is already there."""


class UnsupportedPlatform(DevServerError):
    """This machine cannot do what was asked."""
