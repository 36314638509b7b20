"""Records of instances: their content, and the state derived from them."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from devserver.config.server_options import ServerOptions
from devserver.errors import DevServerError, UnsafeFolder
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import (
    CRASHED,
    READY,
    STARTING,
    STOPPED,
    STOPPING,
    Record,
    down_command,
    up_command,
)
from devserver.server.command_line import Ports
from devserver.server.log import log_tail
from devserver.system.files import private_folder
from devserver.system.paths import Paths
from devserver.system.process import ProcessIdentity

GONE = ProcessIdentity(2**22 + 1, "never")


@pytest.fixture
def record() -> Record:
    """Return the record of a ready server: this process is its supervisor and its server."""
    return Record(
        name="a",
        state=READY,
        supervisor=ProcessIdentity.own(),
        server=ProcessIdentity.own(),
        ports=Ports(grpc=7233, http=7243, metrics=7253, ui=8233),
        options=ServerOptions(namespaces=("orders",), search_attributes=(("A", "Int"),), database=Path("/x.db")),
        version="1.9.1",
        server_version="1.32.0",
        executable=Path("/bin/temporal"),
        database=Path("/x.db"),
        namespaces=("orders", "default"),
        held=True,
        linger=1.5,
        started_at="2026-01-01T00:00:00Z",
    )


def test_round_trip(record: Record, paths: Paths) -> None:
    """A record that is written and read is the same."""
    folder = InstanceFolder(paths, "a")
    folder.create()
    folder.write_record(record)
    assert folder.read_record() == record
    assert InstanceFolder.all(paths) == [folder]


def test_missing_record(paths: Paths) -> None:
    """Without a record there is no instance, even if its folder exists (a start that was killed early)."""
    assert InstanceFolder(paths, "a").read_record() is None
    assert InstanceFolder.all(paths) == []
    private_folder(paths.instance("a"))
    assert InstanceFolder(paths, "a").read_record() is None
    assert InstanceFolder.all(paths) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '{"name": "a"}', '{"server": null, "supervisor": {"pid": 1}}', "\x00"]
)
def test_damaged_record(paths: Paths, text: str) -> None:
    """The error names the file and what to do, without a traceback."""
    path = private_folder(paths.instance("a")) / "record.json"
    path.write_text(text)
    with pytest.raises(DevServerError) as error:
        InstanceFolder(paths, "a").read_record()
    assert error.value.message == f"cannot read the record of the instance a: {path}"
    assert error.value.hint == (f"remove {path} and run devserver up --name a again; the database is not changed")


def test_record_writable_by_others_is_refused(record: Record, paths: Paths) -> None:
    """A record says what to execute and which process to end, so it must be private."""
    instance = InstanceFolder(paths, "a")
    instance.create()
    instance.write_record(record)
    for folder in (paths.instance("a"), paths.instances, paths.state):
        folder.chmod(0o777)
        with pytest.raises(UnsafeFolder):
            InstanceFolder(paths, "a").read_record()
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("state", "supervisor", "server", "now"),
    [
        (READY, True, True, READY),
        (READY, True, False, CRASHED),
        (READY, False, True, CRASHED),
        (STARTING, True, False, STARTING),
        (STARTING, False, False, CRASHED),
        (STOPPING, True, False, STOPPING),
        (STOPPING, False, False, CRASHED),
        (STOPPED, False, False, STOPPED),
        (CRASHED, True, False, CRASHED),
    ],
)
def test_killed_processes_are_detected(record: Record, state: str, supervisor: bool, server: bool, now: str) -> None:
    """The recorded state is ignored if the processes are gone."""
    mine = ProcessIdentity.own()
    seen = record.changed(state=state, supervisor=mine if supervisor else GONE, server=mine if server else GONE)
    assert seen.state_now() == now
    assert seen.running() is (now in (READY, STARTING))


def test_a_reused_pid_is_not_the_server(record: Record) -> None:
    """A process with the same pid and another start time is another process."""
    other = dataclasses.replace(ProcessIdentity.own(), started="another boot:1")
    assert record.changed(server=other).state_now() == CRASHED


def test_addresses(record: Record) -> None:
    """Clients get a usable address, whatever address the server listens on."""
    assert (record.address, record.ui_url) == ("127.0.0.1:7233", "http://127.0.0.1:8233")
    assert (record.http_url, record.metrics_url) == ("http://127.0.0.1:7243", "http://127.0.0.1:7253/metrics")
    everywhere = record.changed(options=ServerOptions(bind="0.0.0.0", allow_remote=True))
    assert everywhere.address == "127.0.0.1:7233"
    six = record.changed(options=ServerOptions(bind="::", allow_remote=True), ports=Ports(1, 2, 3, None))
    assert (six.address, six.ui_url, six.http_url) == ("[::1]:1", None, "http://[::1]:2")


def test_the_first_namespace_is_the_default(record: Record) -> None:
    """The namespace that was requested first is the clients' default."""
    assert record.namespace == "orders"


def test_commands_name_the_instance() -> None:
    """Suggested commands can be pasted."""
    assert [up_command("default"), down_command("default")] == ["devserver up", "devserver down"]
    assert [up_command("a"), down_command("a")] == ["devserver up --name a", "devserver down --name a"]


def test_a_reaped_process_has_ended(record: Record) -> None:
    """The real exit of a process is detected."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        alive = record.changed(server=ProcessIdentity.of(process.pid))
        assert alive.state_now() == READY
        process.communicate()
    assert alive.state_now() == CRASHED


def test_the_end_of_a_log(tmp_path: Path) -> None:
    """The last non-empty lines of this run are returned, whatever bytes the log contains."""
    log = tmp_path / "x.log"
    assert log_tail(log) == []
    log.write_bytes(b"old\n--- devserver starts temporal 1 at x\na\n\n  \nb \xff\nc  \n")
    assert log_tail(log) == ["a", "b \ufffd", "c"]
    assert log_tail(log, 1) == ["c"]
    assert log_tail(log, 0) == []
    assert log_tail(log, all_runs=True)[0] == "old"
    assert log_tail(log, end=log.stat().st_size - 4) == ["a", "b \ufffd"]


def test_the_file_has_every_field(record: Record) -> None:
    """A missing field would be read back with another value."""
    assert set(json.loads(json.dumps(record.to_json()))) == {field.name for field in dataclasses.fields(Record)} - {
        "supervisor_lock"
    }
