"""The cluster's PostgreSQL: its programs, its command line, a template of its data with Temporal's schema."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..system.filelocks import LockedFile
from ..system.files import private_folder, write_private
from ..system.parent_death import bound_to_parent
from ..system.paths import Paths, which
from ..system.ports import Reservations
from ..system.process import ProcessIdentity
from ..system.progress import Reporter
from .errors import ClusterStartFailed, DatabaseRefused, PostgresMissing
from .postgres_client import PostgresConnection
from .unprivileged import unprivileged

HOST = "127.0.0.1"
USER = "temporal"  # of the roles: an ordinary user, so that some connections stay reserved
ADMIN = "postgres"
STORES = {"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"}
PROGRAMS = ("initdb", "postgres")
DEBIAN = Path("/usr/lib/postgresql")
DATA = "postgres"
PASSWORD = "password"  # noqa: S105 - the name of a file
SCHEMAS = "schemas.json"  # the versions that the executable has made
TEMPLATE_FORM = 2  # counts up when a template is made in another way
START_SECONDS = 60.0
STALE_SECONDS = 5.0  # within which the processes of a killed PostgreSQL end by themselves
STEP_SECONDS = 180.0
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
        "log_checkpoints": "off",
        "restart_after_crash": "off",  # a member ends, and whoever runs the cluster starts it
    }
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return _bound([str(programs() / "postgres"), "-D", str(data), *words])


def _bound(command: list[str]) -> list[str]:
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


def copy_template(template: Path, folder: Path) -> None:
    """Copy a template's data and password into a cluster's folder."""
    data = folder / DATA
    aside = data.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(template / "data", aside)
    shutil.copyfile(template / PASSWORD, folder / PASSWORD)
    (folder / PASSWORD).chmod(0o600)
    aside.rename(data)


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


def template(executable: Path, version: str, paths: Paths, reporter: Reporter) -> Path:
    """A folder with PostgreSQL's data (`data`) and its password: Temporal's schema and nothing else. Made once.

    Raises:
        PostgresMissing: PostgreSQL is not on this machine, or this user cannot run it.
        ClusterStartFailed: The schema cannot be made.
    """
    folder = programs()
    made = _run([str(folder / "postgres"), "--version"]).split()[2]
    root = private_folder(paths.cache / "cluster" / "templates")
    target = root / f"postgres-{made}-temporal-{version}-{TEMPLATE_FORM}"
    if target.is_dir():
        return target
    lock = LockedFile.acquire(root / "lock", str(os.getpid()), limit=STEP_SECONDS)
    if lock is None:
        raise ClusterStartFailed("another process has been making the database's template for three minutes")
    with lock:
        if target.is_dir():
            return target
        reporter.note(f"making a database with the schema of Temporal {version} (once) ...")
        work = root / f"{target.name}.new"
        shutil.rmtree(work, ignore_errors=True)
        try:
            _make(private_folder(work), folder, executable)
            work.replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def _make(work: Path, folder: Path, executable: Path) -> None:
    password = secrets.token_urlsafe(24)
    data = work / "data"
    write_private(work / PASSWORD, password)
    initdb = [str(folder / "initdb"), "-D", str(data), "-U", ADMIN, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8"]
    _run(_bound([*initdb, "--locale=C", f"--pwfile={work / PASSWORD}"]))
    with Reservations(HOST) as reservations:
        port = reservations.take(None, None, "--port")
        with _running(data, port):
            with PostgresConnection(f"{HOST}:{port}", ADMIN, password, "postgres") as connection:
                connection.ask(f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{password}'")
            for store, schema in STORES.items():
                for words in (["create"], ["setup-schema", "-v", "0.0"], ["update-schema", "--schema-name", schema]):
                    sql(executable, port, password, store, words)
            with contextlib.suppress(DatabaseRefused):  # another executable was given than a server's
                write_private(work / SCHEMAS, json.dumps(schema_versions(f"{HOST}:{port}", ADMIN, password)))


def schema_versions(address: str, user: str, password: str, *, tls: bool = False) -> dict[str, str]:
    """The version of the schema of each of a cluster's databases.

    Raises:
        DatabaseRefused, OSError: One cannot be asked.
    """
    found = {}
    for store in STORES:
        with PostgresConnection(address, user, password, store, tls=tls) as connection:
            found[store] = str(connection.ask("SELECT curr_version FROM schema_version")[0][0])
    return found


@contextlib.contextmanager
def _running(data: Path, port: int) -> Iterator[None]:
    """PostgreSQL during the block; it is shut down at its end, so that its files can be copied."""
    log = data.with_name("log")
    with log.open("w") as output:
        process = subprocess.Popen(command(data, port, 50), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not accepts(port):
            if process.poll() is not None or time.monotonic() >= deadline:
                raise ClusterStartFailed("PostgreSQL does not start", details=log.read_text().splitlines()[-12:])
            time.sleep(POLL_SECONDS)
        yield
        process.send_signal(2)  # a fast shutdown: it ends all connections and writes everything
        process.wait(START_SECONDS)
    finally:
        process.kill()
        process.wait()


def sql(executable: Path, port: int, password: str, store: str, words: Sequence[str]) -> str:
    """Run Temporal's schema tool on one of the databases; what it prints.

    Raises:
        ClusterStartFailed: It fails.
    """
    flags = ["--plugin", "postgres12", "--ep", HOST, "-p", str(port), "--user", USER, "--db", store]
    return _run([str(executable), "sql", *flags, *words], {"SQL_PASSWORD": password})


def _run(words: Sequence[str], more: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            list(words),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=STEP_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C", **(more or {})},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterStartFailed(f"cannot run {words[0]}", details=[str(error)]) from error
    if done.returncode:
        name = next((Path(word).name for word in words if word.startswith("/") and "python" not in word), words[0])
        raise ClusterStartFailed(
            f"{name} failed (exit code {done.returncode})",
            details=[line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-12:],
        )
    return done.stdout
