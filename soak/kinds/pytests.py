"""kill -9 of pytest: of the process that was started, and of one of xdist's workers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

from ..rounds import LIMIT, Round, last_line
from .loaded import Loaded

TESTS = Path(__file__).parent.parent / "material" / "soaked_tests.py"
REPLACED_SHARE = 0.5  # of the rounds: xdist starts another worker for the killed one
PASSED, FAILED, INTERNAL_ERROR, NO_TESTS = 0, 1, 3, 5


class _Pytest(Loaded):
    """A suite of workflows in two xdist workers, beside a server under load."""

    def set_up(self, folder: Path) -> None:
        """Make the project, and run it once."""
        super().set_up(folder)
        self.project = folder / "project"
        self.project.mkdir()
        shutil.copy(TESTS, self.project / "test_soaked.py")
        (self.project / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
        self.done(self.pytest(self.log), self.log)  # the first run compiles bytecode
        self.measured(lambda: self.pytest(self.log))

    def pytest(self, log: Path, *options: str) -> subprocess.Popen[bytes]:
        """Begin the run."""
        words = (sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *options)
        return self.home.begin(*words, log=log, cwd=self.project)

    def settle(self, round: Round) -> None:
        """After all these kills a run passes, and leaves nothing either."""
        self.done(self.pytest(round.log), round.log)
        self.check(round)
        super().settle(round)


class PytestControllerKilled(_Pytest):
    """kill -9 of pytest: its workers and its server end."""

    name = "pytest-controller"
    shown = "pytest (controller)"

    def round(self, round: Round) -> None:
        """Nothing of the run is left."""
        workflow_id = self.begin(round)
        while not self.kill(round, self.pytest(round.log)):
            pass
        self.check(round)
        self.check_files(round)
        self.verify(round, workflow_id)


class PytestWorkerKilled(_Pytest):
    """kill -9 of one of xdist's workers: the run ends, and nothing of it is left."""

    name = "pytest-worker"
    shown = "pytest (worker)"

    def round(self, round: Round) -> None:
        """The run continues without the worker."""
        workflow_id = self.begin(round)
        while not self._killed_worker(round):
            pass
        self.check(round)
        self.check_files(round)
        self.verify(round, workflow_id)

    def _killed_worker(self, round: Round) -> bool:
        replaced = round.dice.random() < REPLACED_SHARE
        run = self.pytest(round.log, *(() if replaced else ("--max-worker-restart=0",)))
        moment = round.dice.random()
        begin = time.monotonic()
        killed = False
        while run.poll() is None and not killed:
            workers = _workers(run.pid)
            if time.monotonic() - begin >= moment * self.usual and workers:
                round.dice.choice(workers).kill()
                killed = True
            time.sleep(0.01)
        try:
            code = run.wait(LIMIT)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            round.report("failed", ["the run does not end without its worker"])
            return True
        if killed:
            round.moments.append(moment)
            if code not in (PASSED, FAILED, NO_TESTS) and not (code == INTERNAL_ERROR and _of_xdist(round.log)):
                round.report("failed", [f"pytest exits with {code}: {last_line(round.log)}"])
        return killed


def _of_xdist(log: Path) -> bool:
    """Whether pytest's internal error is xdist's own, which cannot give tests to a worker that has just been killed."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("INTERNALERROR>")]
    return "xdist" in "".join(lines) and "temporaltest" not in "".join(lines)


def _workers(controller: int) -> list[psutil.Process]:
    """xdist's workers; the supervisor is not a child of pytest."""
    try:
        return [child for child in psutil.Process(controller).children() if "-c" in child.cmdline()]
    except psutil.Error:
        return []
