"""`temporal devserver COMMAND`: the real Temporal CLI runs the command line as its extension."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.cli.extension import in_order
from devserver.executables.models import Executable
from tests.conftest import CLI_LIMIT, Run
from tests.helpers.checkout import ROOT
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the name of the parent process is in /proc")


@pytest.fixture
def temporal(real_binary: Path, installed: Executable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the Temporal CLI, with `temporal-devserver` on PATH."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        words = [str(real_binary), *args]
        return subprocess.run(words, capture_output=True, text=True, timeout=CLI_LIMIT, check=False)

    yield run
    run("devserver", "down", "--all")


def test_the_temporal_cli_has_the_command(temporal: Run) -> None:
    """The commands, their exit codes and options that the Temporal CLI moves work as in `devserver`."""
    up = temporal("devserver", "up", "-d", "--ephemeral", "--port", "0", "--no-ui", "--log-level", "info")
    assert (up.returncode, up.stderr) == (0, "")
    assert "is ready; temporal devserver down stops it\n" in up.stdout
    assert json.loads(temporal("devserver", "status", "--json").stdout)["state"] == "ready"
    nested = temporal("devserver", "temporal", "--", "workflow", "list", "-o", "json")
    assert (nested.returncode, json.loads(nested.stdout)) == (0, [])
    assert temporal("devserver", "down").returncode == 0
    gone = temporal("devserver", "status", "--name", "gone")
    assert (gone.returncode, gone.stderr.splitlines()[0]) == (4, "error: there is no instance gone")
    usage = temporal("devserver", "workflow", "trace", "--help")
    assert usage.stdout.startswith("Usage: temporal devserver workflow trace [OPTIONS]")
    assert temporal("help", "devserver").stdout.startswith("Usage: temporal devserver [OPTIONS] COMMAND")


@pytest.mark.parametrize("ending", ["Ctrl-C", "SIGTERM"])
def test_the_server_stops_gracefully(temporal: Run, real_binary: Path, devserver: Run, ending: str) -> None:
    """The Temporal CLI kills its extension at once; the server is stopped all the same, and has not crashed."""
    words = [str(real_binary), "devserver", "up", "--port", "0", "--no-ui"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().endswith("is ready; Ctrl-C stops it\n")
        if ending == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        process.communicate(timeout=CLI_LIMIT)
    eventually(lambda: devserver("status").stdout.startswith("state           stopped\n"))


# An extension that writes down its signals. It ends once the process that the Temporal CLI started is gone, and the one
# above itself waits again.
RECORDER = """#!{python}
import os, signal, sys, time
sys.path.insert(0, {root!r})
from devserver.cli.extension import adopt
adopt()

def on_signal(number, frame):
    with open({file!r}, "a") as file:
        file.write(signal.Signals(number).name + "\\n")

def field(name):
    with open(f"/proc/{{os.getppid()}}/status") as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, on_signal)
above = field("PPid")
print("ready", flush=True)
while field("PPid") == above or field("State") != "S" or not os.path.exists({file!r}):
    time.sleep(0.01)
"""


@pytest.mark.parametrize(("ending", "received"), [("Ctrl-C", "SIGINT"), ("SIGTERM", "SIGTERM")])
def test_a_command_gets_one_signal(
    real_binary: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, received: str
) -> None:
    """A second one would mean: stop at once."""
    file, script = tmp_path / "signals", tmp_path / "bin" / "temporal-devserver"
    script.parent.mkdir()
    script.write_text(RECORDER.format(python=sys.executable, root=str(ROOT), file=str(file)))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    words = [str(real_binary), "devserver", "run"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if ending == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        process.communicate(timeout=CLI_LIMIT)  # until the last process has closed its output
    assert file.read_text() == f"{received}\n"


@pytest.mark.parametrize(
    ("moved", "typed"),
    [
        ("--log-level info up -d", "up -d --log-level info"),
        ("--log-level=info --profile p workflow trace w", "workflow trace w --log-level=info --profile p"),
        ("--disable-config-env run m.py -- --x", "run m.py --disable-config-env -- --x"),
        ("-o json temporal -- workflow list", "temporal -- workflow list -o json"),
        ("--help", "--help"),
        ("--log-level", "--log-level"),
        ("up --log-level info", "up --log-level info"),
    ],
)
def test_global_options_go_back_behind_the_command(moved: str, typed: str) -> None:
    """Where they were typed, as far as that can be known."""
    assert in_order(moved.split()) == typed.split()
