"""kill -9 of `devserver run`: of the command, and of its worker."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil

from .. import work
from ..rounds import LIMIT, Round, last_line
from .loaded import Loaded

RUNNING = "Running "
POLL_SECONDS = 0.01
AFTER_SECONDS = 0.5  # a worker that runs is killed too
COMPLETE_EVERY = 10


class _Run(Loaded):
    """`devserver run` is the worker of the workflows that the load starts."""

    worked = False

    def set_up(self, folder: Path) -> None:
        """Run a worker once."""
        self.waiting: list[str] = []
        super().set_up(folder)
        begin = time.monotonic()
        run = self.run(self.log)
        self.until_running(run, self.log)
        self.usual = time.monotonic() - begin + AFTER_SECONDS
        self.stop(run, self.log)

    def run(self, log: Path) -> subprocess.Popen[bytes]:
        """Begin to run a worker."""
        return self.home.devserver("run", work.__file__, log=log)

    def until_running(self, run: subprocess.Popen[bytes], log: Path) -> None:
        """Wait until the worker runs.

        Raises:
            RuntimeError: It does not.
        """
        deadline = time.monotonic() + LIMIT
        while RUNNING not in log.read_text(errors="replace"):
            if run.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"devserver run does not run: {last_line(log)}")
            time.sleep(POLL_SECONDS)

    def stop(self, run: subprocess.Popen[bytes], log: Path) -> None:
        """Stop the worker as systemd does."""
        run.terminate()
        self.done(run, log)

    def note(self, round: Round, workflow_id: str) -> None:
        """No more signals; the workflow waits for a worker."""
        self.load.stop()
        round.acknowledged += len(self.load.acknowledged[workflow_id])
        self.waiting.append(workflow_id)

    def complete(self, round: Round) -> None:
        """With a worker running, every workflow completes with everything that it was told."""
        for workflow_id in self.waiting:
            self.load.end(workflow_id)
        self.waiting.clear()
        round.report("lost", self.load.settle(all_of_them=True))


class RunKilled(_Run):
    """kill -9 of `devserver run`: its workers end with it."""

    name = "run"
    shown = "`run` (command)"

    def round(self, round: Round) -> None:
        """No worker is left; now and then an unkilled one completes what waits."""
        workflow_id = self.begin(round)
        while not self.kill(round, self.run(round.log)):
            raise RuntimeError(f"devserver run ends by itself: {last_line(round.log)}")
        self.check(round)
        self.check_files(round)
        self.note(round, workflow_id)
        if len(self.waiting) >= COMPLETE_EVERY:
            self._complete_with_worker(round)

    def _complete_with_worker(self, round: Round) -> None:
        log = round.folder / "unkilled.log"
        run = self.run(log)
        self.until_running(run, log)
        self.complete(round)
        self.stop(run, log)

    def settle(self, round: Round) -> None:
        """The workflows of the last rounds complete too."""
        self._complete_with_worker(round)
        self.check(round)


class RunWorkerKilled(_Run):
    """kill -9 of the worker: the command starts another one, and the workflow completes."""

    name = "run-worker"
    shown = "`run` (worker)"

    def round(self, round: Round) -> None:
        """The workflow completes although its worker was killed."""
        workflow_id = self.begin(round)
        run = self.run(round.log)
        moment = round.dice.random()
        begin = time.monotonic()
        while True:
            workers = _workers(run.pid)
            if workers and time.monotonic() - begin >= moment * self.usual:
                round.dice.choice(workers).kill()
                break
            if run.poll() is not None:
                raise RuntimeError(f"devserver run ends by itself: {last_line(round.log)}")
            time.sleep(POLL_SECONDS)
        round.moments.append(moment)
        self.note(round, workflow_id)
        self.complete(round)
        if run.poll() is not None:
            round.report("failed", [f"devserver run ends when its worker is killed: {last_line(round.log)}"])
        else:
            self.stop(run, round.log)
        self.check(round)
        self.check_files(round)


def _workers(command: int) -> list[psutil.Process]:
    """The worker of a command, and the one that it has in reserve."""
    try:
        return [child for child in psutil.Process(command).children() if "worker_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []
