"""kill -9 of the server, of its supervisor, and of the command that starts them."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from devserver.system.process import ProcessIdentity

from ..rounds import Round
from .loaded import Loaded

UNDER_LOAD_SECONDS = 0.3
STARTING_SHARE = 0.5  # of the rounds: the next start is killed too
GONE_SECONDS = 30.0


class _Killed(Loaded):
    """A running instance is killed under load; in half of the rounds its next start is killed as well."""

    def round(self, round: Round) -> None:
        """Kill while signals come in, perhaps again while it starts; then start it, and look for every signal."""
        workflow_id = self.begin(round)
        moment = round.dice.random()
        time.sleep(moment * UNDER_LOAD_SECONDS)
        self.victim().kill()
        round.moments.append(moment)
        self.ended(round)
        if round.dice.random() < STARTING_SHARE:
            self.kill_start(round)
        self.check(round)
        self.recover(round)
        self.check_files(round)
        self.verify(round, workflow_id)

    def victim(self) -> ProcessIdentity:
        """The process to kill."""
        raise NotImplementedError

    def ended(self, round: Round) -> None:
        """Server and supervisor end together, whichever was killed."""
        record = self.record
        for name, identity in (("supervisor", record.supervisor), ("server", record.server)):
            if identity is not None and not identity.wait_gone(GONE_SECONDS):
                round.report("orphans", [f"the {name} (pid {identity.pid}) outlives the other"])

    def kill_start(self, round: Round) -> None:
        """Begin `up -d`, and kill the process at a random moment after it has appeared."""
        command = self.up(round.log)
        begin = time.monotonic()
        moment = round.dice.random()
        while command.poll() is None:
            if time.monotonic() - begin >= moment * self.usual and (found := self.starting()):
                found.kill()
                round.moments.append(moment)
                break
        command.wait(GONE_SECONDS)

    def starting(self) -> psutil.Process | None:
        """The process to kill of an instance that is starting."""
        raise NotImplementedError

    def find(self, fits: Callable[[list[str]], bool]) -> psutil.Process | None:
        """A process of this home by its command line."""
        for process in self.home.processes():
            try:
                if fits(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None


class ServerKilled(_Killed):
    """kill -9 of the server."""

    name = "server"
    shown = "server"

    def victim(self) -> ProcessIdentity:
        """The running server."""
        server = self.record.server
        assert server is not None
        return server

    def starting(self) -> psutil.Process | None:
        """The server that is starting."""
        return self.find(lambda words: words[1:3] == ["server", "start-dev"])


class SupervisorKilled(_Killed):
    """kill -9 of the supervisor: the server ends with it."""

    name = "supervisor"
    shown = "supervisor"

    def victim(self) -> ProcessIdentity:
        """The running supervisor."""
        return self.record.supervisor

    def starting(self) -> psutil.Process | None:
        """The supervisor that is starting: a copy of the command in a session of its own."""
        for process in self.home.processes():
            try:
                if "devserver" in process.cmdline() and process.ppid() == 1:
                    return process
            except psutil.Error:
                continue
        return None


class UpKilled(Loaded):
    """kill -9 of `devserver up -d`."""

    name = "up"
    shown = "`up -d`"

    def round(self, round: Round) -> None:
        """The server was killed; the command that starts it again is killed too."""
        workflow_id = self.begin(round)
        self.record.supervisor.kill()
        record = self.record
        if record.server is not None:
            record.server.wait_gone(GONE_SECONDS)
        while not self.kill(round, self.up(round.log)):
            self.record.supervisor.kill()  # it was ready before the kill: once more
        self.check(round)
        self.recover(round)
        self.check_files(round)
        self.verify(round, workflow_id)
