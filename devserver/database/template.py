"""A new database from a given executable, as the template of its schema; cached."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import DatabaseError, StartFailed, StartTimeout
from ..system.filelocks import LockedFile
from ..system.files import private_folder
from ..system.ports import ANY, Reservation
from ..system.process import has_ended
from ..system.spawn import Child, client_free_environment, spawn_bound
from .sqlite import our_errors, settle

NEW = ".new-"  # how the folders begin in which databases are made
LOCK = "lock"
LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
ATTEMPTS = 5
IN_USE = "address already in use"
# The schema is all that is wanted, and it is there before the port opens: no need to wait for the disk.
PRAGMAS = ("synchronous=OFF",)


def template(schemas: Path, executable: Path, server_version: str, note: Callable[[str], None]) -> Path:
    """A database file just made by `executable`, from `schemas` or made now (0.1 s).

    Raises:
        StartFailed: The executable makes none; the details hold its last lines.
    """
    kept = schemas / f"{server_version}-{_identity(executable)}.db"
    if kept.is_file():
        return kept
    private_folder(schemas)
    note(f"making an empty database with server {server_version}, to compare with")
    remove_unfinished(schemas)
    with (
        tempfile.TemporaryDirectory(prefix=f"{NEW}{os.getpid()}-", dir=schemas) as folder,
        LockedFile.attempt(Path(folder) / LOCK) or contextlib.nullcontext(),
    ):
        fresh = Path(folder) / "temporal.db"
        _make(executable, fresh)
        settle(fresh)
        with our_errors(kept):
            fresh.chmod(0o600)
            fresh.replace(kept)
    return kept


def remove_unfinished(schemas: Path) -> None:
    """Remove what killed processes left in the folder of schemas.

    No process here has their pid, and none in another container has their lock.
    """
    for path in schemas.glob(f"{NEW}*"):
        pid = path.name.removeprefix(NEW).partition("-")[0]
        if has_ended(pid) and not LockedFile.is_held(path / LOCK):
            shutil.rmtree(path, ignore_errors=True)


def _identity(executable: Path) -> str:
    # A server of one's own making keeps its version while its schema changes.
    try:
        info = executable.stat()
    except OSError as error:
        raise DatabaseError(f"cannot read the executable {executable}: {error.strerror}") from error
    return hashlib.sha256(f"{info.st_size} {info.st_mtime_ns}".encode()).hexdigest()[:12]


def _make(executable: Path, db: Path) -> None:
    for _ in range(ATTEMPTS - 1):
        try:
            return _make_once(executable, db)
        except StartFailed as error:
            if IN_USE not in str(error):
                raise  # else another server's inner services hit one of our ports: others will do
    return _make_once(executable, db)


def _make_once(executable: Path, db: Path) -> None:
    log = db.with_name("log")
    environ = client_free_environment(os.environ)
    with contextlib.ExitStack() as reserved:
        ports = [Reservation(LOOPBACK, ANY) for _ in range(3)]
        for item in ports:
            reserved.callback(item.release)
        try:
            server = spawn_bound(_command(executable, db, [port.port for port in ports]), log=log, environ=environ)
        except OSError as error:
            raise StartFailed(f"cannot run {executable}: {error.strerror}") from error
        try:
            _wait_until_open(server, ports[0].port, log)
        finally:
            server.kill()
            server.wait()


def _command(executable: Path, db: Path, ports: list[int]) -> list[str]:
    port, http, metrics = (str(port) for port in ports)
    command = [str(executable), "server", "start-dev", "--headless", "--ip", LOOPBACK]
    command += ["--port", port, "--http-port", http, "--metrics-port", metrics]
    command += ["--db-filename", str(db), "--log-level", "error"]
    for pragma in PRAGMAS:
        command += ["--sqlite-pragma", pragma]
    return command


def _wait_until_open(server: Child, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise StartFailed(
                f"the server exited with {server.returncode} while making an empty database",
                details=_tail(log),
                hint="check that the executable works: devserver temporal -- --version",
            )
        if _accepts(port):
            if _listens(server, port):
                return
            raise StartFailed(f"{LOOPBACK}:{port}: {IN_USE} by another process")
        time.sleep(0.005)
    raise StartTimeout(f"the server did not make an empty database within {START_SECONDS:.0f} s", details=_tail(log))


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _listens(server: Child, port: int) -> bool:
    # If the inner services of another server have the port, the file is not whole yet, or not even there.
    import psutil

    try:
        sockets = psutil.Process(server.pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(item.status == psutil.CONN_LISTEN and item.laddr.port == port for item in sockets)


def _tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-10:]
