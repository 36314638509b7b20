"""The log of a person's commands during a game day. It is off unless the environment names its file.

Each command is a line when it begins, and a line when it ends; one that becomes another program has no end. Secrets
and whole inputs are left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "DEVSERVER_COMMAND_LOG"
MOST_BYTES = 500_000
MOST_CHARACTERS = 300  # of one command
HIDDEN = ("-i", "--input", "--grpc-meta", "--codec-header")  # inputs, and headers, which may carry keys
ELSEWHERE = ("--address", "--profile")
OWN = ("gameday",)  # a game day notes its own commands


@dataclass(frozen=True)
class LoggedCommand:
    """A command that was run: when it began, in seconds of the epoch, and how it ended.

    Attributes:
        began: When.
        command: The command line, without `devserver` and without secrets.
        seconds: How long it took; None if it did not end, or became another program.
        code: Its exit code; None as for `seconds`.
    """

    began: float
    command: str
    seconds: float | None
    code: int | None


class CommandLog:
    """The log of one command. It writes to an existing file only, and never more than half a megabyte."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = time.time()

    @classmethod
    def begin(cls, words: Sequence[str], environ: Mapping[str, str]) -> CommandLog | None:
        """Note that a command begins; None if it is not to be logged."""
        name = environ.get(VARIABLE)
        if not name or not words or words[0] in OWN or _is_elsewhere(words, environ):
            return None
        log = cls(Path(name))
        log._add({"at": log._began, "command": _shown(words, environ)})
        return log

    def end(self, code: int) -> None:
        """Note that it has ended."""
        self._add({"at": time.time(), "ended": self._began, "code": code})

    def _add(self, line: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            opened = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                about = os.fstat(opened)
                if stat.S_ISREG(about.st_mode) and about.st_size < MOST_BYTES:
                    os.write(opened, json.dumps({"pid": os.getpid(), **line}).encode() + b"\n")
            finally:
                os.close(opened)


def read_commands(file: Path) -> list[LoggedCommand]:
    """The commands of a log, by time."""
    begun: dict[tuple[int, float], LoggedCommand] = {}
    for line in _lines(file):
        try:
            if "command" in line:
                begun[int(line["pid"]), float(line["at"])] = LoggedCommand(
                    float(line["at"]), str(line["command"]), None, None
                )
            else:
                key = (int(line["pid"]), float(line["ended"]))
                found = begun[key]
                begun[key] = LoggedCommand(
                    found.began, found.command, float(line["at"]) - found.began, int(line["code"])
                )
        except (KeyError, TypeError, ValueError):
            continue
    return sorted(begun.values(), key=lambda command: command.began)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError), file.open("rb") as lines:
        for line in lines.read(2 * MOST_BYTES).splitlines():
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found


def _is_elsewhere(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a command names another server than that of the game day."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option == "--":
            return False
        if option in ELSEWHERE:
            return True
        if option == "--name" and (value if equals else following) != environ.get("DEVSERVER_NAME"):
            return True
    return False


def _shown(words: Sequence[str], environ: Mapping[str, str]) -> str:
    import shlex

    from .redact import secrets_of, without

    shown = list(words)
    for at, word in enumerate(words):
        option, equals, _ = word.partition("=")
        if word in HIDDEN and at + 1 < len(shown):
            shown[at + 1] = "..."
        elif equals and option in HIDDEN:
            shown[at] = f"{option}=..."
        elif word.startswith("-i"):  # the value may be part of the word
            shown[at] = "-i..."
    return without(shlex.join(shown), secrets_of(words, environ))[:MOST_CHARACTERS]
