"""A small machine with a real PostgreSQL: its own cluster in a temporary folder, on loopback.

`postgres.py` runs it as a separate process: `python postgres_machine.py FOLDER`. It prints its connection as one line
of JSON, starts PostgreSQL again when somebody connects to its socket, and ends with everything it started when its
standard input closes: when its parent has ended, however it ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

START_SECONDS = 20
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def binary(name: str) -> str:
    """Path of a PostgreSQL program; Debian keeps them outside the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda each: float(each.name), reverse=True)
    found = shutil.which(name) or next((str(each / "bin" / name) for each in versions), None)
    if found is None:
        sys.exit("PostgreSQL is not installed; on Debian: make system, or apt-get install postgresql")
    return found


class Machine:
    """One cluster: create, start and stop it."""

    def __init__(self, folder: Path) -> None:
        self.port = 0  # until it has been ready once; then it stays
        self.password = secrets.token_hex(16)
        self.data = folder / "data"
        self._log = folder / "log"
        self._ends_with_us: dict[str, Any] = {"preexec_fn": _die_with(os.getpid())}
        self._postgres: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            postgres = pwd.getpwnam("postgres")
            os.chown(folder, postgres.pw_uid, postgres.pw_gid)
            self._ends_with_us |= {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
        secret = folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        os.chown(secret, folder.stat().st_uid, -1)
        self._run("initdb", "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8")

    def start(self) -> bool:
        """Start PostgreSQL and wait until it is ready; False if it is running."""
        if self._postgres is not None and self._postgres.poll() is None:
            return False
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            port = self.port or _free_port()
            self._postgres = self._spawn(port)
            while self._postgres.poll() is None and time.monotonic() < until:
                if self._ready(self._postgres.pid):
                    self.port = port
                    return True
                time.sleep(0.01)
            time.sleep(0.05)  # it refuses while anything is left of the one that was killed
        sys.exit(f"PostgreSQL does not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        """Stop it at once."""
        if self._postgres is not None and self._postgres.poll() is None:
            self._postgres.send_signal(signal.SIGQUIT)
            self._postgres.wait(10)

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options["dynamic_shared_memory_type"] = "mmap"  # in its folder, where nothing of it is left when it is killed
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [binary("postgres"), "-D", str(self.data), *(f"--{key}={value}" for key, value in options.items())],
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._ends_with_us,
            )

    def _ready(self, pid: int) -> bool:
        """The file has the process's id on the first line, and its state on the last."""
        lock = self.data / "postmaster.pid"
        lines = lock.read_text().split() if lock.exists() else []
        return lines[:1] == [str(pid)] and lines[-1] == "ready"

    def _run(self, program: str, *words: str) -> None:
        command = [binary(program), "-D", str(self.data), *words]
        done = subprocess.run(
            command, cwd=self.data.parent, capture_output=True, text=True, check=False, **self._ends_with_us
        )
        if done.returncode:
            sys.exit(f"{program} failed:\n{done.stdout}{done.stderr}")


def _die_with(parent: int) -> Any:
    """Make the kernel end PostgreSQL when this process is killed; in `preexec_fn`: a change of user clears it."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def in_child() -> None:
        if prctl is not None:
            prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return in_child


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def main(folder: Path) -> None:
    """Run the machine in this folder, which is removed at the end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with ExitStack() as end:
        end.callback(shutil.rmtree, folder, ignore_errors=True)
        machine = Machine(folder)
        end.callback(machine.stop)
        machine.start()
        control = end.enter_context(socket.socket(socket.AF_UNIX))
        control.bind(str(folder / "control"))
        control.listen()
        print(json.dumps({"port": machine.port, "password": machine.password}), flush=True)
        while sys.stdin not in select.select([sys.stdin, control], [], [])[0]:
            connection, _ = control.accept()
            with connection:
                connection.sendall(b"started" if machine.start() else b"it runs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
