"""The base of rounds on an instance whose state is kept, with a load on it."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from pathlib import Path
from typing import ClassVar

from devserver.errors import DevServerError
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import READY, Record
from devserver.system.ports import Reservation

from ..load import Load
from ..rounds import Kind, Round

ACKNOWLEDGED = 10  # signals before an action begins
# Not of those that the system gives out: while the server is down, another program could get its port.
PORTS = range(20_000, 30_000)


def _free_port() -> int:
    while True:
        with contextlib.suppress(OSError):
            reservation = Reservation("127.0.0.1", secrets.choice(PORTS))
            reservation.release()
            return reservation.port


class Loaded(Kind):
    """The instance `default` is running, and its load sends signals before, while and after something is killed."""

    worked: ClassVar[bool] = True  # a worker in the load completes the workflows

    def set_up(self, folder: Path) -> None:
        """Start the instance and its load."""
        super().set_up(folder)
        self.port = _free_port()
        self.measured(lambda: self.up(self.log))
        self.load = Load(self.workshop.loop, f"127.0.0.1:{self.port}", works=self.worked)

    @property
    def instance(self) -> InstanceFolder:
        """The instance."""
        return InstanceFolder(self.home.paths, "default")

    @property
    def record(self) -> Record:
        """Its record."""
        return self.instance.require_record()

    def up(self, log: Path) -> subprocess.Popen[bytes]:
        """Begin `devserver up -d`; the port stays the same."""
        return self.home.devserver("up", "-d", "--no-ui", "--port", str(self.port), log=log)

    def recover(self, round: Round) -> None:
        """Bring the instance back if it is not running."""
        if self.state() != READY:
            self.done(self.up(round.log), round.log)

    def state(self) -> str | None:
        """What its record says of it; None if there is none."""
        try:
            record = self.instance.read_record()
        except DevServerError:
            return None
        return None if record is None else record.state_now()

    def begin(self, round: Round) -> str:
        """Begin to send signals; the workflow that gets them."""
        workflow_id = f"round-{round.number}"
        self.load.tell(workflow_id, at_least=ACKNOWLEDGED)
        return workflow_id

    def verify(self, round: Round, workflow_id: str) -> None:
        """Everything acknowledged is in the history and the result; the workflow ends while the next rounds run."""
        self.load.stop()
        round.acknowledged += len(self.load.acknowledged[workflow_id])
        self.load.end(workflow_id)
        round.report("lost", self.load.settle())

    def settle(self, round: Round) -> None:
        """Every workflow completes with everything that it was told."""
        round.report("lost", self.load.settle(all_of_them=True))

    def close(self, *, keep: bool = False) -> None:
        """End the load, then the instance."""
        if hasattr(self, "load"):
            self.load.close()
        super().close(keep=keep)
