"""One round, and the base of all kinds of rounds."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from devserver.executables.models import Executable

from .checks import leftovers, orphans, still_stale
from .home import Home
from .load import Loop

LIMIT = 120.0
LATEST = 0.5  # weight of the last unkilled action in the time that an action usually takes


@dataclass
class Workshop:
    """What all kinds share.

    Attributes:
        folder: Where homes, logs and evidence are.
        executable: The real executable, installed.
        runs: A quicker path to run it by; see tests/helpers/quick_binary.py.
        loop: The event loop of all loads.
    """

    folder: Path
    executable: Executable
    runs: Path | None
    loop: Loop


@dataclass
class Round:
    """One round of a kind: its number, its dice, the folder of its logs, and what it finds.

    Attributes:
        moments: For each process that was killed while it worked: when, as a part of the usual time.
        acknowledged: Signals that were acknowledged and looked for.
        found: What should not be, by column.
    """

    number: int
    dice: random.Random
    folder: Path
    moments: list[float] = field(default_factory=list)
    acknowledged: int = 0
    found: list[tuple[str, str]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """The output of the round's commands."""
        return self.folder / "commands.log"

    def report(self, column: str, texts: Iterable[str]) -> None:
        """Add what was found."""
        self.found += [(column, text) for text in texts]


class Kind(ABC):
    """A kind of round. `set_up` makes a home and measures how long the action takes if nobody kills it."""

    name: ClassVar[str]
    shown: ClassVar[str]
    crowd: ClassVar[bool] = False  # one round is enough

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.usual = 1.0

    def set_up(self, folder: Path) -> None:
        """Make the home in `folder`, and what all rounds use."""
        self.home = Home.create(folder, self.workshop.executable, self.workshop.runs)
        self.log = folder / "set-up.log"

    @abstractmethod
    def round(self, round: Round) -> None:
        """Begin the action, kill it, and check."""

    def settle(self, round: Round) -> None:
        """After the last round: what can be checked only then."""
        self.check(round)

    def close(self, *, keep: bool = False) -> None:
        """End what runs; with `keep` the home stays as evidence."""
        self.home.close(keep=keep)

    # Parts of rounds

    def measured(self, action: Callable[[], subprocess.Popen[bytes]], *, ok: tuple[int, ...] = (0,)) -> None:
        """Run the action without a kill, and note how long it takes.

        Raises:
            RuntimeError: It fails.
        """
        begin = time.monotonic()
        self.done(action(), self.log, ok=ok)
        self.usual = time.monotonic() - begin

    def kill(self, round: Round, process: subprocess.Popen[bytes], *more: Callable[[], object]) -> bool:
        """Kill the process at a random moment of its usual time, and what `more` kills; False if it ended before."""
        begin = time.monotonic()
        moment = round.dice.random()
        try:
            process.wait(moment * self.usual)
        except subprocess.TimeoutExpired:
            process.kill()
            for also in more:
                also()
            process.wait()
            round.moments.append(moment)
            return True
        self.usual += LATEST * (time.monotonic() - begin - self.usual)
        return False

    def done(self, process: subprocess.Popen[bytes], log: Path, *, ok: tuple[int, ...] = (0,)) -> None:
        """Wait for a command that must succeed.

        Raises:
            RuntimeError: It fails, or does not end.
        """
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"{shown(process)} does not end; see {log}") from None
        if code not in ok:
            raise RuntimeError(f"{shown(process)} exits with {code}: {last_line(log)}")

    def check(self, round: Round) -> None:
        """After the kill: orphans, then what the records claim."""
        round.report("orphans", orphans(self.home))
        round.report("stale", still_stale(self.home))

    def check_files(self, round: Round, *patterns: str) -> None:
        """After the next command: its temporary files, and those of the killed one, are gone."""
        round.report("stale", leftovers(self.home, *patterns))


def shown(process: subprocess.Popen[bytes]) -> str:
    """The command line of a process."""
    words = process.args if isinstance(process.args, list | tuple) else [process.args]
    return " ".join(str(word) for word in words)


def last_line(log: Path) -> str:
    """The last line of a log."""
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"
    return "no output"
