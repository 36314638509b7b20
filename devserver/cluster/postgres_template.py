"""A template of PostgreSQL's data with Temporal's schema: made once, copied for each new cluster."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..system.files import write_private
from ..system.paths import Paths
from ..system.ports import Reservations
from ..system.progress import Reporter
from . import programs as server_programs
from .errors import ClusterStartFailed, DatabaseRefused
from .postgres_server import ADMIN, HOST, PASSWORD, POLL_SECONDS, USER, accepts, bound, command, programs
from .preparation import copy_folder, last_lines, made_once, run_program

STORES = {"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"}
DATA = "postgres"
SCHEMAS = "schemas.json"  # the versions that the executable has made
FORM = 2  # counts up when a template is made in another way
START_SECONDS = 60.0
STEP_SECONDS = 180.0


def copy_template(template: Path, folder: Path) -> None:
    """Copy a template's data and password into a cluster's folder.

    Raises:
        FolderNotWritable: The disk is full, or the folder cannot be written.
    """
    data = folder / DATA
    aside = data.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    write_private(folder / PASSWORD, (template / PASSWORD).read_text())
    copy_folder(template / "data", aside)
    aside.rename(data)


def template(executable: Path, version: str, paths: Paths, reporter: Reporter) -> Path:
    """A folder with PostgreSQL's data (`data`) and its password: Temporal's schema and nothing else. Made once.

    Raises:
        PostgresMissing: PostgreSQL is not on this machine, or this user cannot run it.
        ClusterStartFailed: The schema cannot be made.
    """
    folder = programs()
    made = _run([str(folder / "postgres"), "--version"]).split()[2]

    def make(work: Path) -> None:
        reporter.note(f"making a database with the schema of Temporal {version} (once) ...")
        _make(work, folder, executable)

    target = paths.cache / "cluster" / "templates" / f"postgres-{made}-temporal-{version}-{FORM}"
    return made_once(target, make, lock="lock", limit=STEP_SECONDS, doing="making the database's template")


def _make(work: Path, folder: Path, executable: Path) -> None:
    import secrets

    from .postgres_client import PostgresConnection  # ssl and hmac: not for the start of a cluster

    password = secrets.token_urlsafe(24)
    data = work / "data"
    write_private(work / PASSWORD, password)
    initdb = [str(folder / "initdb"), "-D", str(data), "-U", ADMIN, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8"]
    _run(bound([*initdb, "--locale=C", f"--pwfile={work / PASSWORD}"]))
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
    from .postgres_client import PostgresConnection

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
    return _run([*server_programs.programs(executable).tool("sql"), *flags, *words], {"SQL_PASSWORD": password})


def _run(words: Sequence[str], more: dict[str, str] | None = None) -> str:
    try:
        done = run_program(words, limit=STEP_SECONDS, environ={**os.environ, "LC_ALL": "C", **(more or {})})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterStartFailed(f"cannot run {words[0]}", details=[str(error)]) from error
    if done.returncode:
        name = next((Path(word).name for word in words if word.startswith("/") and "python" not in word), words[0])
        raise ClusterStartFailed(
            f"{name} failed (exit code {done.returncode})",
            details=last_lines(done.stdout, 12),
        )
    return done.stdout
