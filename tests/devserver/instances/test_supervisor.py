"""The supervisor of a server: small, private, and gone with its server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devserver import DevServer
from devserver.config.server_options import ServerOptions
from devserver.executables.models import Executable
from devserver.instances import stopping
from devserver.instances.folder import InstanceFolder
from devserver.instances.request import StartRequest
from devserver.instances.start_plan import plan
from devserver.instances.supervisor import Supervisor
from devserver.server.launch import Launch
from devserver.system.paths import Paths
from devserver.system.ports import Reservations
from tests.conftest import Run, command, processes_of
from tests.helpers.illbehaved import Gate
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.usefixtures("installed")


def supervisor_of(paths: Paths, name: str) -> psutil.Process:
    """Return the supervisor's process."""
    return psutil.Process(InstanceFolder(paths, name).require_record().supervisor.pid)


def test_supervisor_does_not_load_the_sdk(paths: Paths) -> None:
    """The supervisor has one thread and does not import the SDK."""
    with DevServer.start("light", port=0):
        process = supervisor_of(paths, "light")
        mapped = {Path(mapping.path).name for mapping in process.memory_maps()}
        assert not [name for name in mapped if "temporal_sdk" in name or "grpc" in name]
        assert process.num_threads() == 1


@pytest.mark.parametrize("way", ["library", "command"])
def test_supervisor_is_detached_from_its_starter(devserver: Run, paths: Paths, way: str) -> None:
    """It has its own session and working folder, and none of the starter's output open."""
    if way == "library":
        DevServer.start("alone", port=0, detach=True)
    else:
        assert devserver("up", "-d", "--name", "alone").returncode == 0  # returns although the supervisor runs on
    process = supervisor_of(paths, "alone")
    assert os.getsid(process.pid) == process.pid if way == "library" else os.getsid(process.pid) != os.getsid(0)
    assert process.cwd() == "/"
    open_files = {str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
    assert open_files == {"/dev/null", str(paths.instance("alone") / "supervisor.log")}
    stopping.stop(InstanceFolder(paths, "alone"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_the_server_gracefully(paths: Paths, number: int) -> None:
    """A supervisor that gets a termination signal stops its server and records that."""
    server = DevServer.start("told", port=0, detach=True)
    record = InstanceFolder(paths, "told").require_record()
    record.supervisor.signal(number)
    assert record.supervisor.wait_gone(30)
    assert not server.running
    found = InstanceFolder(paths, "told").require_record()
    assert (found.state, found.server, found.exit) == ("stopped", None, None)


def test_ctrl_c_ends_the_foreground(home: Path, paths: Paths) -> None:
    """Ctrl-C on `up` stops the server gracefully and exits with 130."""
    with subprocess.Popen(
        command("up", "--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "is ready; Ctrl-C stops it" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=180)
        finally:
            process.kill()
    assert process.returncode == 130
    assert InstanceFolder(paths, "default").require_record().state == "stopped"
    assert processes_of(home) == []


@pytest.mark.parametrize("nohup", [False, True], ids=["plain", "nohup"])
def test_closed_terminal_ends_the_foreground(paths: Paths, nohup: bool) -> None:
    """`devserver up` ends when its terminal is closed; `nohup devserver up` continues."""
    handler = signal.SIG_IGN if nohup else signal.SIG_DFL
    with subprocess.Popen(
        command("up", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, handler),
    ) as process:
        try:
            assert process.stdout is not None
            assert "is ready" in process.stdout.readline()
            process.send_signal(signal.SIGHUP)
            if nohup:
                assert DevServer.attach().running
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=180)
        finally:
            process.kill()
    assert process.returncode == 130
    assert InstanceFolder(paths, "default").require_record().state == "stopped"


def test_crash_of_a_leased_server_is_reported(paths: Paths) -> None:
    """A leased server that was killed is reported as crashed, and its supervisor waits for a restart."""
    with DevServer.start("hit", port=0) as server:
        server.kill()
        found = eventually(lambda: (record := InstanceFolder(paths, "hit").require_record()).exit and record)
        assert found
        assert (found.state_now(), found.exit) == ("crashed", "signal 9")
        assert found.supervised()
    assert not found.supervised()


def test_starter_that_dies_ends_the_start(tmp_path: Path, real_binary: Path, paths: Paths, home: Path) -> None:
    """When the starting process is killed before the server is ready, no process is left."""
    gate = Gate(tmp_path / "gate", real_binary)
    code = "import sys; from devserver import DevServer; DevServer.start(binary=sys.argv[1])"
    with subprocess.Popen([sys.executable, "-c", code, str(gate.path)]) as process:
        try:
            eventually(gate.started)
        finally:
            process.kill()
    assert eventually(lambda: processes_of(home) == [])


def test_starter_that_dies_as_the_server_gets_ready(
    installed: Executable, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the server that nobody wants stops, its record says so: the next start does not join it."""
    folder = InstanceFolder(paths, "unwanted")
    end, states = Launch.end, []

    def watched(launch: Launch) -> None:
        states.append(folder.require_record().state)
        end(launch)

    def dies(event: dict[str, object]) -> None:
        if "ready" in event:
            raise KeyboardInterrupt

    monkeypatch.setattr(Launch, "end", watched)
    with Reservations("127.0.0.1") as reserved, pytest.raises(KeyboardInterrupt):
        Supervisor(plan(StartRequest(folder, ServerOptions(ui=False, port=0), installed), reserved), dies).run()
    assert (states, folder.require_record().state) == (["stopping"], "stopped")


def test_unexpected_error_of_the_supervisor(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The starter reports an unexpected error of the supervisor."""
    from devserver.instances import supervisor_process

    broken = paths.state.parent / "broken.py"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("raise RuntimeError('never thought of')\n")
    monkeypatch.setattr(supervisor_process, "MAIN", broken)
    from devserver.errors import StartFailed

    with pytest.raises(StartFailed, match="ended before the server was ready") as caught:
        DevServer.start()
    assert "RuntimeError: never thought of" in caught.value.details[-1]
    assert list(paths.instances.iterdir()) == []


def test_files_of_an_instance(paths: Paths) -> None:
    """An instance has a record, a spec, logs, locks and leases, and no other files."""
    with DevServer.start("files", port=0):
        names = {path.name for path in paths.instance("files").iterdir()}
        assert names == {"record.json", "spec.json", "server.log", "supervisor.log", "supervisor.lock", "leases"}
        assert "environ" not in json.loads((paths.instance("files") / "spec.json").read_text())
