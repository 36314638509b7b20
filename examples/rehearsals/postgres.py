"""A real PostgreSQL with a thousand orders for a rehearsal: created before each run and removed after it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from devserver.rehearsal import ledger

ORDERS = 1000
ORDERED = f"create table orders as select id, 7 * id as amount from generate_series(1, {ORDERS}) as id"  # noqa: S608


class Down(Exception):
    """PostgreSQL does not answer."""


@dataclass(frozen=True)
class Postgres:
    """Connection to the database."""

    port: int
    password: str
    folder: str

    @classmethod
    def here(cls) -> Postgres:
        """The database of this run: its connection is stored next to the rehearsal's ledger."""
        return cls(**json.loads(Path(os.environ[ledger.FILE]).with_name("postgres.json").read_text()))

    def query(self, sql: str) -> str:
        """Run SQL and return psql's output.

        Raises:
            Down: PostgreSQL does not answer.
        """
        done = subprocess.run(
            ["psql", "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", sql],  # noqa: S607
            env={**os.environ, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "2"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Down(done.stderr.strip())
        return done.stdout.strip()

    def start(self) -> bool:
        """Make its machine start it; False if it is running."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(f"{self.folder}/control")
            return control.recv(100) == b"started"

    def kill(self) -> None:
        """Kill it, as the kernel does when memory runs out."""
        pid = int(Path(self.folder, "data", "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)


@contextmanager
def postgres_with_orders(folder: Path) -> Iterator[Postgres]:
    """The fixture of a rehearsal: a real PostgreSQL for each run."""
    home = tempfile.mkdtemp(prefix="rehearsal-postgres-")
    try:
        with _machine(home) as postgres:
            file = folder / "postgres.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(asdict(postgres)))
            postgres.query(ORDERED)
            yield postgres
    finally:
        shutil.rmtree(home, ignore_errors=True)  # the machine does so itself, unless it was killed


@contextmanager
def _machine(home: str) -> Iterator[Postgres]:
    machine = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("postgres_machine.py")), home],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for us, and the machine ends after us
    )
    with machine:  # at the end its standard input closes, and it ends
        assert machine.stdout is not None
        line = machine.stdout.readline()
        if not line.startswith("{"):
            raise RuntimeError(line + machine.stdout.read())
        yield Postgres(**json.loads(line), folder=home)
