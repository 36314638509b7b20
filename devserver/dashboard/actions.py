"""The buttons of the dashboard: each runs the command of that name, with its checks, and shows what it says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from ..config.option_values import check_name
from ..database.catalog import check_name as check_snapshot
from ..errors import DevServerError, OptionError
from ..system.own_command import own_command

LIMIT_SECONDS = 180.0
MOST_LINES = 20
PREFIXES = ("error: ", "hint: ")


class ActionFailed(DevServerError):
    """The command behind a button failed; the message, details and hint are those of the command."""


class DashboardActions:
    """Runs commands for buttons."""

    def all(self) -> dict[str, Any]:
        """The actions by their paths."""
        return {
            "/actions/up": self.up,
            "/actions/down": self.down,
            "/actions/restart": self.restart,
            "/actions/snapshot": self.snapshot,
            "/actions/restore": self.restore,
        }

    def up(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Start a new server with the settings of the folder in which the dashboard was started."""
        name = _name(values)
        found = self._run("up", "--detach", "--name", name)
        return {"message": f"{name} is ready at {found['address']}"}

    def down(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Stop a server."""
        name = _name(values)
        found = self._run("down", "--name", name)
        return {"message": f"stopped {name}" if found["stopped"] else f"{name} was not running"}

    def restart(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Stop a server if it is running, and start it with the same options and state."""
        name = _name(values)
        found = self._run("restart", "--name", name)
        return {"message": f"{name} is ready at {found['address']}"}

    def snapshot(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Save a snapshot; without a name it is named after the time."""
        name = _name(values)
        chosen = _text(values, "snapshot")
        found = self._run("snapshot", "save", *([check_snapshot(chosen)] if chosen else []), "--name", name)
        return {"message": f"saved the snapshot {found['name']} of {name}"}

    def restore(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the state of a server with a snapshot."""
        name, chosen = _name(values), check_snapshot(_text(values, "snapshot"))
        found = self._run("snapshot", "restore", chosen, "--yes", "--name", name)
        before = found["before"]
        lines = [f"the state before is now the snapshot {before}"] if before else []
        return {"message": f"restored {chosen} into {name}", "lines": lines}

    def _run(self, *words: str) -> dict[str, Any]:
        try:
            done = subprocess.run(
                own_command(*words, "--json"),
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=LIMIT_SECONDS,
                env={**os.environ, "NO_COLOR": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ActionFailed(
                f"devserver {' '.join(words)} did not end within {LIMIT_SECONDS:g} s", hint="run: devserver doctor"
            ) from None
        if done.returncode != 0:
            raise _failure(done.stderr, words)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _name(values: Mapping[str, Any]) -> str:
    return check_name(_text(values, "name"))


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise OptionError(f"{key} is not text")
    return value.strip()


def _failure(output: str, words: Sequence[str]) -> ActionFailed:
    """The error that a command has printed."""
    lines = output.strip().splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("error: ")), None)
    if start is None:
        return ActionFailed(f"devserver {' '.join(words)} failed", details=lines[-MOST_LINES:], hint="run it yourself")
    hints = [line.removeprefix("hint: ") for line in lines[start:] if line.startswith("hint: ")]
    details = [line.strip() for line in lines[start + 1 :] if not line.startswith(PREFIXES)]
    return ActionFailed(
        lines[start].removeprefix("error: "), details=details[:MOST_LINES], hint="; ".join(hints) or None
    )
