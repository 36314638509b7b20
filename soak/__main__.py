"""Kills everything at random moments, under load, and counts what is left behind or lost.

Ctrl-C ends it, and a second start continues.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import random
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from devserver import BinaryRequest
from devserver.executables.resolve import ensure
from devserver.system.files import private_folder
from devserver.system.paths import Paths
from tests.helpers import quick_binary

from . import table
from .home import Home
from .kinds import KINDS, TABLE
from .load import Loop
from .rounds import Kind, Round, Workshop
from .state import COLUMNS, MOMENTS, Finding, State

LANES = 2
ROUNDS = 200
MINUTES = 30.0  # for each kind
ENOUGH_FINDINGS = 10
SHOWN_SECONDS = 20.0
QUICK = "quick-"
DEFAULT_STATE = Path(".soak") / "state.json"


class Soak:
    """Runs kinds of rounds in parallel lanes until each has its kills, its time is over, or somebody stops it."""

    def __init__(self, state: State, folder: Path, rounds: int, seconds: float) -> None:
        self.state = state
        self.folder = folder
        self.rounds = rounds
        self.seconds = seconds
        self.stopping = threading.Event()
        self._waiting: queue.SimpleQueue[type[Kind]] = queue.SimpleQueue()

    def run(self, kinds: Sequence[type[Kind]], workshop: Workshop, lanes: int) -> None:
        """Run the kinds; Ctrl-C ends their rounds and keeps the counts."""
        for kind in kinds:
            self._waiting.put(kind)
        threads = [threading.Thread(target=self._lane, args=(workshop,), name=f"lane-{n}") for n in range(lanes)]
        for thread in threads:
            thread.start()
        shown = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.2)
            if time.monotonic() - shown > SHOWN_SECONDS:
                shown = time.monotonic()
                self.show()

    def show(self) -> None:
        """One line for each kind that has begun."""
        for kind in TABLE:
            tally = self.state.tallies.get(kind.name)
            if tally is not None and tally.rounds:
                counts = "  ".join(f"{column} {tally.count(column)}" for column in COLUMNS)
                print(f"{kind.name:18} kills {tally.kills:4}  {counts}  {tally.seconds / tally.rounds:.1f} s a round")
        print(flush=True)

    def _lane(self, workshop: Workshop) -> None:
        while not self.stopping.is_set():
            try:
                kind = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._kind(kind(workshop))

    def _kind(self, kind: Kind) -> None:
        """Rounds of one kind; after a finding with a new home, because the old one is the evidence."""
        tally = self.state.tally(kind.name)
        wanted = 1 if kind.crowd else self.rounds
        deadline = time.monotonic() + self.seconds

        def more() -> bool:
            enough = tally.kills >= wanted or (kind.crowd and tally.rounds >= wanted)
            over = time.monotonic() >= deadline or len(tally.findings) >= ENOUGH_FINDINGS
            return not (enough or over or self.stopping.is_set())

        while more():
            home = self.folder / "homes" / kind.name
            Home(home).close()  # what a killed soak has left
            clean = True
            try:
                kind.set_up(home)
                while clean and more():
                    clean = self._round(kind, home)
                if clean and not self.stopping.is_set():
                    clean = self._last(kind, home)
            except Exception:  # noqa: BLE001 - whatever it is, it is reported
                if not self.stopping.is_set():
                    self._fail_set_up(kind, traceback.format_exc())
                return
            finally:
                with contextlib.suppress(Exception):
                    kind.close()
                Home(home).close()

    def _round(self, kind: Kind, home: Path) -> bool:
        """One round; whether it found nothing."""
        number = self.state.tally(kind.name).rounds + 1
        dice = random.Random(f"{self.state.seed}/{kind.name}/{number}")
        round = Round(number, dice, private_folder(self.folder / "rounds" / f"{kind.name}-{number}"))
        begin = time.monotonic()
        try:
            kind.round(round)
        except Exception:  # noqa: BLE001
            round.report("failed", [traceback.format_exc()])
        if self.stopping.is_set():  # its processes were ended with Ctrl-C: it counts for nothing
            return False
        return self._add(kind, round, home, time.monotonic() - begin)

    def _last(self, kind: Kind, home: Path) -> bool:
        number = self.state.tally(kind.name).rounds
        round = Round(number, random.Random(0), private_folder(self.folder / "rounds" / f"{kind.name}-{number}"))
        try:
            kind.settle(round)
        except Exception:  # noqa: BLE001
            round.report("failed", [traceback.format_exc()])
        return self.stopping.is_set() or self._add(kind, round, home, None)

    def _add(self, kind: Kind, round: Round, home: Path, seconds: float | None) -> bool:
        tally = self.state.tally(kind.name)
        if seconds is not None:
            tally.rounds += 1
            tally.seconds += seconds
        for moment in round.moments:
            tally.moments[int(moment * MOMENTS)] += 1
        tally.kills += len(round.moments)
        tally.acknowledged += round.acknowledged
        for column, text in round.found:
            tally.findings.append(Finding(column, text, round.number, str(round.folder)))
            print(f"{kind.name}, round {round.number}: {column}: {text}\n  evidence: {round.folder}", flush=True)
        self.state.save()
        if not round.found:
            shutil.rmtree(round.folder, ignore_errors=True)
            return True
        with contextlib.suppress(Exception):
            kind.close(keep=True)
            home.rename(round.folder / "home")
        return False

    def _fail_set_up(self, kind: Kind, text: str) -> None:
        self.state.tally(kind.name).findings.append(Finding("failed", text, 0, str(self.folder)))
        print(f"{kind.name}: cannot be set up:\n{text}", flush=True)
        self.state.save()


def main() -> int:
    """Soak, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="kills of each kind (default: %(default)s)")
    parser.add_argument("--only", metavar="KIND,...", help=f"some of {', '.join(kind.name for kind in TABLE)}")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="the counts; a second start continues them")
    parser.add_argument("--seed", type=int, help="seed of all moments (default: 1)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="limit of each kind (default: %(default)s)")
    parser.add_argument("--lanes", type=int, default=LANES, help="kinds at once (default: %(default)s)")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [kind.name for kind in KINDS]
    if unknown := set(names) - {kind.name for kind in KINDS}:
        parser.error(f"unknown kinds: {', '.join(sorted(unknown))}")
    folder = private_folder(options.state.absolute().parent)
    state = State.load(options.state.absolute(), options.seed)
    soak = Soak(state, folder, options.rounds, options.minutes * 60)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop(soak))
    quick_binary.begin()
    begin = time.monotonic()
    loop = Loop()
    executable = ensure(
        BinaryRequest(source="installed"), paths=Paths.default({"DEVSERVER_HOME": str(folder / "store")})
    )
    with contextlib.ExitStack() as stack:
        for path in folder.glob(f"{QUICK}*"):  # what is mounted in it goes with its process
            shutil.rmtree(path, ignore_errors=True)
        quick = private_folder(folder / f"{QUICK}{os.getpid()}")
        stack.callback(shutil.rmtree, quick, ignore_errors=True)
        workshop = Workshop(folder, executable, quick_binary.quick(executable.path, quick), loop)
        soak.run([kind for kind in KINDS if kind.name in names], workshop, options.lanes)
    loop.close()
    return report(state, executable.version, time.monotonic() - begin, stopped=soak.stopping.is_set())


def _stop(soak: Soak) -> None:
    """Let the current rounds end without counting them; then end everything in their homes."""
    print("stopping after the rounds that run; start again to continue", flush=True)
    soak.stopping.set()


def report(state: State, version: str, seconds: float, *, stopped: bool = False) -> int:
    """Print the table twice, and where evidence is; the exit code."""
    cells = [table.HEAD, *table.rows(state.tallies, {kind.name: kind.shown for kind in TABLE})]
    print(f"temporal {version}, {os.cpu_count()} cores, seed {state.seed}, {seconds / 60:.1f} minutes\n")
    print(table.text(cells), end="\n\n")
    print(table.markdown(cells), end="\n\n")
    for kind in TABLE:
        tally = state.tallies.get(kind.name)
        if tally is not None and tally.kills:
            print(f"{kind.name:18} kills in each tenth of the usual time: {table.spread(tally.moments)}")
    findings = [(name, finding) for name, tally in state.tallies.items() for finding in tally.findings]
    for name, finding in findings:
        print(f"{finding.column}: {name}, round {finding.round}: {finding.text.splitlines()[-1]} ({finding.folder})")
    return 130 if stopped else 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
