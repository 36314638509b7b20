"""Installs and removes services: the file, and what the system's service manager has to know of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FolderNotWritable
from ..system.files import write_whole
from ..system.paths import which
from .definition import MARK, ServiceDefinition
from .errors import ServiceTaken, ServiceUnknown, ServiceUnsupported

CALL_SECONDS = 60


@dataclass(frozen=True)
class ServiceManager:
    """The service of one instance.

    Attributes:
        name: The instance.
        launchd: Whether launchd runs services here, not systemd.
        home: The user's home.
    """

    name: str
    launchd: bool
    home: Path

    @classmethod
    def of(cls, name: str) -> ServiceManager:
        """The manager of this system.

        Raises:
            ServiceUnsupported: It has neither systemd nor launchd.
        """
        if sys.platform not in ("linux", "darwin"):
            raise ServiceUnsupported(
                f"services are for Linux (systemd) and macOS (launchd), not for {sys.platform}",
                hint="start the server at login with what your system has for it: devserver up -d",
            )
        return cls(name, sys.platform == "darwin", Path.home())

    @property
    def label(self) -> str:
        """The name of the service."""
        return f"temporal-devserver.{self.name}" if self.launchd else f"temporal-devserver-{self.name}.service"

    @property
    def file(self) -> Path:
        """The file that defines it."""
        if self.launchd:
            return self.home / "Library" / "LaunchAgents" / f"{self.label}.plist"
        config = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(config) if config.startswith("/") else self.home / ".config"
        return base / "systemd" / "user" / self.label

    def text(self, definition: ServiceDefinition) -> str:
        """The content of the file.

        Raises:
            ServiceUnsupported: A path cannot stand in it.
        """
        definition.check()
        return definition.launchd(self.label) if self.launchd else definition.systemd()

    def install(self, definition: ServiceDefinition) -> list[list[str]]:
        """Write the file and make the system start the service at login; the commands that are left to the user.

        Raises:
            ServiceTaken: There is such a service already, or a file that is not ours.
            FolderNotWritable: The file cannot be written.
        """
        text = self.text(definition)
        found = self._read()
        if found is not None and found != text:
            self._require_ours(found)
            raise ServiceTaken(
                f"the instance {self.name} has a service already, with other paths or settings: {self.file}",
                hint=f"remove it first: devserver service remove --name {self.name}",
            )
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole({self.file: text}, mode=0o644)
        except OSError as error:
            raise FolderNotWritable(f"cannot write {self.file}: {error.strerror}", hint="check the folder") from error
        return _call(self._enabling())

    def remove(self) -> list[list[str]]:
        """Undo `install`, and stop the server if the service runs it; the commands that are left to the user.

        Raises:
            ServiceUnknown: There is no such service.
            ServiceTaken: The file is not ours.
        """
        found = self._read()
        if found is None:
            raise ServiceUnknown(f"the instance {self.name} has no service", hint="its file would be " + str(self.file))
        self._require_ours(found)
        left = _call(self._disabling())
        try:
            self.file.unlink()
        except OSError as error:
            raise FolderNotWritable(f"cannot delete {self.file}: {error.strerror}", hint="check the folder") from error
        return left + ([] if self.launchd else _call([["systemctl", "--user", "daemon-reload"]]))

    def installed(self) -> bool:
        """Whether the instance has a service of ours."""
        return MARK in (self._read() or "")

    def enabled(self) -> bool | None:
        """Whether the system starts it at login; None if that cannot be found out."""
        if self.launchd:
            return self.installed() or None
        done = _run(["systemctl", "--user", "is-enabled", self.label])
        if done is None or done.stdout.strip() not in ("enabled", "disabled"):
            return None
        return done.stdout.strip() == "enabled"

    def starting(self) -> list[str]:
        """The command that starts the service now."""
        if self.launchd:
            return ["launchctl", "bootstrap", f"gui/{os.getuid()}", str(self.file)]
        return ["systemctl", "--user", "start", self.label]

    def _enabling(self) -> list[list[str]]:
        if self.launchd:  # launchd reads the folder at login
            return [["launchctl", "enable", f"gui/{os.getuid()}/{self.label}"]]
        return [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", self.label]]

    def _disabling(self) -> list[list[str]]:
        if self.launchd:
            place = f"gui/{os.getuid()}/{self.label}"
            loaded = _run(["launchctl", "print", place])
            return [["launchctl", "bootout", place]] if loaded is not None and loaded.returncode == 0 else []
        return [["systemctl", "--user", "disable", "--now", self.label]]

    def _read(self) -> str | None:
        try:
            return self.file.read_text(errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FolderNotWritable(f"cannot read {self.file}: {error.strerror}", hint="check the folder") from error

    def _require_ours(self, text: str) -> None:
        if MARK not in text:
            raise ServiceTaken(
                f"{self.file} was not written by devserver",
                hint="move that file away, or choose another instance with --name",
            )


def _call(commands: Sequence[list[str]]) -> list[list[str]]:
    """Run commands one after the other; from the first that fails on, those that were not done."""
    for at, command in enumerate(commands):
        done = _run(command)
        if done is None or done.returncode != 0:
            return list(commands[at:])
    return []


def _run(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    program = which(command[0])
    if program is None:
        return None
    try:
        return subprocess.run(
            [program, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CALL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
