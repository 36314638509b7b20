"""The file that defines a service: what it runs, and how systemd and launchd spell that."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ServiceUnsupported

MARK = "Written by `devserver service install`"
NOTE = f"{MARK}; `devserver service remove` deletes it."
STOP_SECONDS = 90
UNSAFE = set("'\"\\")


@dataclass(frozen=True)
class ServiceDefinition:
    """A service that runs a server while its user is logged in.

    Attributes:
        name: The instance.
        program: The devserver command.
        folder: Where it starts: the folder of a project with settings, or the home.
        log: The file for what it prints, where the system keeps no log of its own.
        variables: Environment variables of the command.
    """

    name: str
    program: Path
    folder: Path
    log: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """What the service runs."""
        return [str(self.program), "up", "--foreground", "--name", self.name]

    def check(self) -> None:
        """Refuse paths that such a file cannot contain.

        Raises:
            ServiceUnsupported: One has a control character or ends with a backslash, or the program's has a quote.
        """
        for text in (*self.command, str(self.folder), str(self.log), *self.variables.values()):
            if any(ord(character) < 32 or ord(character) == 127 for character in text) or text.endswith("\\"):
                raise _unsuitable(text, "has a control character, or ends with a backslash")
        if set(str(self.program)) & UNSAFE:
            raise _unsuitable(str(self.program), "of the program has a quote or a backslash, which systemd refuses")

    def systemd(self) -> str:
        """The unit of systemd's user manager. The colon turns off the expansion of `$`."""
        words = " ".join(map(_quoted, self.command))
        lines = [
            f"# {NOTE}",
            "[Unit]",
            f"Description=Temporal dev server {self.name}",
            "StartLimitIntervalSec=120",
            "StartLimitBurst=5",
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart=:{words}",
            f"WorkingDirectory={_percent(str(self.folder))}",
            *(f"Environment={_quoted(f'{name}={value}')}" for name, value in self.variables.items()),
            "KillMode=mixed",
            f"TimeoutStopSec={STOP_SECONDS}",
            "SuccessExitStatus=130 143",
            "Restart=on-failure",
            "RestartSec=5",
            "",
            "[Install]",
            "WantedBy=default.target",
        ]
        return "\n".join(lines) + "\n"

    def launchd(self, label: str) -> str:
        """The property list of a launchd agent."""
        content = {
            "Label": label,
            "ProgramArguments": self.command,
            "WorkingDirectory": str(self.folder),
            "EnvironmentVariables": self.variables,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": STOP_SECONDS,
            "StandardOutPath": str(self.log),
            "StandardErrorPath": str(self.log),
        }
        text = plistlib.dumps(content, sort_keys=False).decode()
        return text.replace("<plist ", f"<!-- {NOTE} -->\n<plist ", 1)


def _unsuitable(path: str, reason: str) -> ServiceUnsupported:
    return ServiceUnsupported(
        f"the path {path!r} cannot stand in the file of a service",
        hint=f"choose another folder: this path {reason}",
    )


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_percent(escaped)}"'
