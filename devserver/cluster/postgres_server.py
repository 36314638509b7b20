"""The cluster's PostgreSQL: its programs, its command line, what a killed one leaves behind."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import socket
import struct
import time
from pathlib import Path

from ..system.parent_death import bound_to_parent
from ..system.paths import which
from ..system.process import ProcessIdentity
from .errors import PostgresMissing
from .unprivileged import unprivileged

HOST = "127.0.0.1"
USER = "temporal"  # of the roles: an ordinary user, so that some connections stay reserved
ADMIN = "postgres"
PROGRAMS = ("initdb", "postgres")
DEBIAN = Path("/usr/lib/postgresql")
PASSWORD = "password"  # noqa: S105 - the name of a file
STALE_SECONDS = 5.0  # within which the processes of a killed PostgreSQL end by themselves
POLL_SECONDS = 0.02
PROTOCOL = 0x00030000
REMOVE = 0  # IPC_RMID of shmctl(2)
AUTHENTICATION = b"R"  # the first byte of the answer of a database that accepts connections


def programs() -> Path:
    """The folder of PostgreSQL's programs: from PATH, or the newest of Debian's.

    Raises:
        PostgresMissing: There is none.
    """
    on_path = which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [*sorted(DEBIAN.glob("*/bin"), key=_number, reverse=True)]
    for folder in folders:
        if all((folder / name).is_file() for name in PROGRAMS):
            return folder
    raise PostgresMissing(
        "PostgreSQL is not on this machine",
        details=[f"looked for {' and '.join(PROGRAMS)} on PATH and in {DEBIAN}/*/bin"],
        hint="install it (Debian: apt-get install postgresql), or add the folder of its programs to PATH",
    )


def _number(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def command(data: Path, port: int, connections: int) -> list[str]:
    """The command line of the server, which ends with this process."""
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(connections),
        "shared_buffers": "32MB",
        "dynamic_shared_memory_type": "mmap",  # files of `data`: those in shared memory outlive a kill
        "log_checkpoints": "off",
        "restart_after_crash": "off",  # a member ends, and whoever runs the cluster starts it
    }
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return bound([str(programs() / "postgres"), "-D", str(data), *words])


def bound(command: list[str]) -> list[str]:
    """The command, not as root. Its tie to this process comes last, because a change of user removes that."""
    return unprivileged(bound_to_parent(command))


def accepts(port: int) -> bool:
    """Whether the database accepts connections: it asks for a password, and does not say that it is starting up.

    Source: PostgreSQL's frontend/backend protocol 3.0, StartupMessage.
    """
    body = struct.pack("!i", PROTOCOL) + f"user\0{USER}\0database\0postgres\0\0".encode()
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0) as connection:
        connection.settimeout(2.0)
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        return connection.recv(1) == AUTHENTICATION
    return False


def clear_stale_lock(data: Path) -> None:
    """Remove the lock file of a PostgreSQL that was killed, once none of its processes works in `data`.

    PostgreSQL refuses to start while the pid in the file exists, and a zombie does where nobody reaps it (a container
    without an init). Call this only while no other process may start PostgreSQL there.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    deadline = time.monotonic() + STALE_SECONDS
    while processes := _working_in(data):
        if time.monotonic() >= deadline:
            for process in processes:
                process.kill()
        time.sleep(POLL_SECONDS)
    lock.unlink(missing_ok=True)


def discard(data: Path) -> None:
    """Remove the data of a PostgreSQL that does not run, and the shared memory that a killed one has left.

    Its lock file names that memory (System V) in the seventh line: its key and its id.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        key, shared = map(int, (data / "postmaster.pid").read_text().splitlines()[6].split())
        library = ctypes.CDLL(None)
        if library.shmget(key, 0, 0) == shared:  # since a reboot the id may be that of another program
            library.shmctl(shared, REMOVE, None)
    shutil.rmtree(data, ignore_errors=True)


def _working_in(data: Path) -> list[ProcessIdentity]:
    """The processes of PostgreSQL, whose current folder is their data."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(data):
                found.append(ProcessIdentity.of(process.pid))
    return [identity for identity in found if identity is not None]
