"""The soak sees what it looks for: a check that cannot fail is a defect."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devserver.config.server_options import ServerOptions
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import READY, Record
from devserver.server.command_line import Ports
from devserver.system.process import ProcessIdentity
from soak import checks
from soak.home import Home
from soak.kinds import KINDS, TABLE


@pytest.fixture
def soaked(tmp_path: Path) -> Iterator[Home]:
    """A home without executables."""
    home = Home.create(tmp_path / "soaked", None)
    yield home
    home.close()


@pytest.fixture
def record() -> Record:
    """The record of a ready server, whose processes are this one."""
    return Record(
        name="a",
        state=READY,
        supervisor=ProcessIdentity.own(),
        server=ProcessIdentity.own(),
        ports=Ports(grpc=1, http=1, metrics=1, ui=None),
        options=ServerOptions(),
        version="1.9.1",
        server_version="1.32.0",
        executable=Path("/bin/temporal"),
        database=Path("/x.db"),
        namespaces=("default",),
        held=False,
        linger=0.0,
        started_at="2026-01-01T00:00:00Z",
    )


def test_a_planted_orphan_is_found_once(soaked: Home, tmp_path: Path) -> None:
    """A process that outlives its round is named and ended."""
    assert checks.orphans(soaked, patience=0) == []
    orphan = soaked.begin("sleep", "600", log=tmp_path / "log")
    found = checks.orphans(soaked, patience=0.1)
    assert found == [f"pid {orphan.pid}: sleep 600"]
    orphan.wait()
    assert checks.orphans(soaked, patience=0) == []


def test_a_record_that_claims_too_much_is_found(soaked: Home, record: Record) -> None:
    """An instance that is ready by its record, with processes of somebody else that do not answer."""
    assert checks.stale(soaked) == []
    folder = InstanceFolder(soaked.paths, "a")
    folder.create()
    folder.write_record(record)
    found = checks.stale(soaked)
    assert "a is unresponsive" in found
    assert any("a claims processes that do not exist" in text for text in found)
    gone = ProcessIdentity(record.supervisor.pid, record.supervisor.started + "0")
    folder.write_record(record.changed(supervisor=gone, server=gone))
    assert checks.stale(soaked) == []


def test_a_server_without_a_record_is_found(soaked: Home, tmp_path: Path) -> None:
    """A server that no instance claims."""
    program = tmp_path / "temporal"
    program.symlink_to(psutil.Process().exe())
    (tmp_path / "server").write_text("import time\nprint('up', flush=True)\ntime.sleep(600)\n")
    server = soaked.begin(str(program), "server", "start-dev", log=tmp_path / "log", cwd=tmp_path)
    while "up" not in (tmp_path / "log").read_text():
        assert server.poll() is None
    assert checks.stale(soaked) == [f"server {server.pid} belongs to no running instance"]
    server.kill()
    server.wait()


def test_left_temporary_files_are_found(soaked: Home) -> None:
    """A file that was written and not renamed."""
    soaked.paths.state.mkdir(parents=True)
    assert checks.leftovers(soaked, ".new-*") == []
    ours, given = soaked.paths.state / ".record.json.12-0123abcd.tmp", soaked.paths.state / ".new-1"
    for path in (ours, given):
        path.touch()
    assert checks.leftovers(soaked, ".new-*") == [f"temporary file left: {path}" for path in (given, ours)]


def test_a_lost_signal_is_found(tmp_path: Path) -> None:
    """A word that was acknowledged and is not in the file."""
    database = tmp_path / "t.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for table in ("history_node", "buffered_events"):
            connection.execute(f"CREATE TABLE {table} (data BLOB)")
            connection.execute(f"INSERT INTO {table} VALUES (?)", (b'\x0a\x01"word-w-%d"\x00' % len(table),))
        connection.commit()
    found = checks.words_in(database)
    assert found == {"word-w-12", "word-w-15"}
    assert checks.missing(found, found) == []
    assert checks.missing({*found, "word-w-1"}, found) == ['1 of 3 acknowledged signals are gone: ["word-w-1"]']


def test_the_table_has_every_kind() -> None:
    """No kind runs without a row."""
    assert {kind.name for kind in KINDS} == {kind.name for kind in TABLE}
    assert len({kind.name for kind in KINDS}) == len(KINDS) == len(TABLE)
