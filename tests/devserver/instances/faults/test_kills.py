"""kill -9 of the server, of its supervisor and of the command; frozen and unresponsive processes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from devserver.instances import starting, stopping
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import Record
from devserver.instances.request import StartRequest
from devserver.system.paths import Paths
from devserver.system.process import ProcessIdentity
from tests.conftest import Run, ephemeral_folders_of, processes_of
from tests.devserver.instances.faults.conftest import Begin
from tests.helpers.illbehaved import Gate, ignores_sigterm
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.usefixtures("installed")

UP = ("up", "--port", "0", "--no-ui")


def status(devserver: Run, name: str = "default") -> dict[str, Any]:
    """Return what `status --json` reports."""
    found: dict[str, Any] = json.loads(devserver("status", "--json", "--name", name).stdout)
    return found


def ready(paths: Paths, name: str = "default") -> Record:
    """Return the record of a ready instance."""
    record = eventually(
        lambda: (found := InstanceFolder(paths, name).read_record()) and found.state_now() == "ready" and found
    )
    assert isinstance(record, Record)
    return record


def kill(identity: ProcessIdentity | None) -> None:
    """Kill a process of this test with SIGKILL."""
    assert identity is not None
    identity.kill()


def up(devserver: Run, paths: Paths, *args: str) -> Record:
    """Return the record of a server that `up -d` has started."""
    done = devserver(*UP, "-d", *args)
    assert done.returncode == 0, done.stderr
    return ready(paths)


# The server


def test_killed_server_is_reported_and_restarted(devserver: Run, paths: Paths) -> None:
    """`status` reports a crash and its signal, and `up` starts the server again."""
    first = up(devserver, paths)
    kill(first.server)
    assert first.supervisor.wait_gone(30)
    report = status(devserver)
    assert (report["state"], report["exit"]) == ("crashed", "signal 9")
    shown = devserver("status")
    assert shown.returncode == 1
    assert "hint: start it again with: devserver up" in shown.stdout
    again = up(devserver, paths)
    assert again.server != first.server
    assert devserver("down").stdout == "stopped default\n"


def test_foreground_reports_that_the_server_was_killed(begin: Begin, paths: Paths) -> None:
    """`up` in the foreground exits with 1 and the cause."""
    with begin(*UP) as process:
        kill(ready(paths).server)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: the server of the instance default crashed (signal 9)" in errors
    assert "start it again with: devserver up" in errors


def test_frozen_server_is_unresponsive_and_stops(devserver: Run, paths: Paths) -> None:
    """A server stopped with SIGSTOP is reported as unresponsive, and `down` ends it."""
    server = up(devserver, paths).server
    assert server is not None
    server.signal(signal.SIGSTOP)
    assert status(devserver)["state"] == "unresponsive"
    assert devserver("down").returncode == 0
    assert not server.alive()


def test_namespace_on_a_frozen_server(devserver: Run, paths: Paths) -> None:
    """`up` with a new namespace on an unresponsive server fails within its timeout."""
    server = up(devserver, paths).server
    assert server is not None
    server.signal(signal.SIGSTOP)
    done = devserver("up", "--namespace", "new", "--timeout", "0.5")
    assert done.returncode == 1
    assert "error: the server did not set up the namespace new within 0.5 s" in done.stderr
    devserver("down")


def test_server_that_ignores_sigterm_is_killed(tmp_path: Path, paths: Paths, real_binary: Path) -> None:
    """`down` kills the server at the end of the graceful timeout."""
    from devserver.config.server_options import ServerOptions
    from devserver.executables import BinaryRequest
    from devserver.executables.resolve import ensure

    path = ignores_sigterm(tmp_path / "deaf", real_binary)
    executable = ensure(BinaryRequest(binary=path), paths=paths)
    request = StartRequest(InstanceFolder(paths, "deaf"), ServerOptions(ui=False), executable, stop=0.2)
    record = starting.start(request).record
    stopping.stop(InstanceFolder(paths, "deaf"))
    assert record.server is not None
    assert not record.server.alive()
    assert InstanceFolder(paths, "deaf").require_record().state == "stopped"


# The supervisor


@pytest.mark.parametrize("options", [(), ("--ephemeral",)], ids=["durable", "ephemeral"])
def test_server_dies_with_its_supervisor(devserver: Run, paths: Paths, home: Path, options: tuple[str, ...]) -> None:
    """kill -9 of the supervisor ends the server; the next command cleans up, and `up` works."""
    record = up(devserver, paths, *options)
    assert record.server is not None
    kill(record.supervisor)
    assert record.server.wait_gone(30)
    assert bool(ephemeral_folders_of(home)) == bool(options)
    report = status(devserver)
    assert (report["state"], report["exit"]) == ("crashed", "its supervisor was killed")
    assert ephemeral_folders_of(home) == []
    up(devserver, paths, *options)
    assert devserver("down").returncode == 0


def test_frozen_supervisor_is_ended(devserver: Run, paths: Paths) -> None:
    """`down` ends a supervisor that was stopped with SIGSTOP, and its server."""
    record = up(devserver, paths)
    assert record.server is not None
    record.supervisor.signal(signal.SIGSTOP)
    assert devserver("down").stdout == "stopped default\n"
    assert not record.supervisor.alive()
    assert not record.server.alive()


# The command


def test_killed_foreground_leaves_nothing(begin: Begin, devserver: Run, paths: Paths, home: Path) -> None:
    """kill -9 of `up` in the foreground ends the server, and the next command cleans up."""
    with begin(*UP, "--ephemeral") as process:
        record = ready(paths)
        process.kill()
        process.wait(30)
    assert record.server is not None
    assert record.server.wait_gone(30)
    assert status(devserver)["state"] == "crashed"
    assert ephemeral_folders_of(home) == []


@pytest.mark.parametrize("mode", ["-d", "--quiet"], ids=["detached", "foreground"])
def test_killed_while_starting_leaves_nothing(
    begin: Begin, devserver: Run, paths: Paths, home: Path, tmp_path: Path, real_binary: Path, mode: str
) -> None:
    """kill -9 of `up` before the server is ready ends all of its processes; another `up` works at once."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, mode, "--ephemeral", "--binary", str(gate.path)) as process:
        eventually(gate.started)
        process.kill()
        process.wait(30)
    assert eventually(lambda: processes_of(home) == [])
    assert devserver("list").returncode == 0
    assert ephemeral_folders_of(home) == []
    up(devserver, paths)
    assert devserver("down").returncode == 0


def test_start_of_a_killed_command_is_not_joined(
    begin: Begin, devserver: Run, paths: Paths, tmp_path: Path, real_binary: Path
) -> None:
    """`up` right after the kill of another `up` starts a new server."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "-d", "--binary", str(gate.path)) as process:
        eventually(gate.started)
        process.kill()
        assert up(devserver, paths).executable != gate.path
    assert devserver("down").returncode == 0


def test_interrupted_start_is_stopped(
    begin: Begin, devserver: Run, home: Path, tmp_path: Path, real_binary: Path
) -> None:
    """Ctrl-C during the start stops the server and exits with 130, without reporting a crash."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "--binary", str(gate.path)) as process:
        eventually(gate.started)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.endswith("interrupted\n")
    assert processes_of(home) == []
    assert status(devserver)["state"] == "stopped"


def test_supervisor_killed_while_starting_is_reported(
    begin: Begin, devserver: Run, paths: Paths, home: Path, tmp_path: Path, real_binary: Path
) -> None:
    """`up -d` says that the supervisor ended before the server was ready."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "-d", "--ephemeral", "--binary", str(gate.path)) as process:
        record = eventually(lambda: InstanceFolder(paths, "default").read_record())
        assert record is not None
        kill(record.supervisor)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: the supervisor of the instance default ended before the server was ready" in errors
    assert eventually(lambda: processes_of(home) == [])
    assert ephemeral_folders_of(home) == []
    assert status(devserver)["state"] == "crashed"


def test_closed_output_ends_the_server(begin: Begin, devserver: Run, home: Path) -> None:
    """`up` whose output is closed shuts its server down gracefully."""
    with begin(*UP) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(30)
    assert processes_of(home) == []
    assert status(devserver)["state"] in ("stopped", "crashed")


def test_simultaneous_commands_start_one_server(begin: Begin, devserver: Run) -> None:
    """Of several simultaneous `up -d`, one starts the server and the others find it."""
    with begin(*UP, "-d") as one, begin(*UP, "-d") as two, begin(*UP, "-d") as three:
        outputs = [process.communicate(timeout=180)[0] for process in (one, two, three)]
        assert [process.returncode for process in (one, two, three)] == [0, 0, 0]
    assert sorted("is already running" in output for output in outputs) == [False, True, True]
    assert devserver("down").returncode == 0


# Records of other processes


def test_process_with_a_reused_pid_is_not_touched(devserver: Run, paths: Paths) -> None:
    """A record whose pids belong to other processes counts as a crash, and those processes keep running."""
    record = up(devserver, paths)
    assert devserver("down").returncode == 0
    with psutil.Popen(["sleep", "600"]) as bystander:
        reused = ProcessIdentity(bystander.pid, record.supervisor.started + "0")
        forged = record.changed(state="ready", supervisor=reused, server=reused)
        InstanceFolder(paths, "default").write_record(forged)
        assert status(devserver)["state"] == "crashed"
        for args in (("down",), ("down", "--all"), (*UP, "-d"), ("down",)):
            InstanceFolder(paths, "default").write_record(forged) if args == ("down", "--all") else None
            assert devserver(*args).returncode == 0
        assert bystander.poll() is None
        assert psutil.pid_exists(bystander.pid)
        bystander.kill()


def test_a_record_with_our_own_pid(devserver: Run, paths: Paths) -> None:
    """A command whose own pid is in the record does not end itself."""
    record = up(devserver, paths)
    assert devserver("down").returncode == 0
    me = ProcessIdentity(os.getpid(), "long ago")
    InstanceFolder(paths, "default").write_record(record.changed(state="starting", supervisor=me, server=me))
    from devserver.instances.cleanup import tidy

    tidy(paths)
    assert InstanceFolder(paths, "default").require_record().state == "crashed"
