"""Commands in forks of a warm process behave like separate processes."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devserver.executables.models import Executable
from devserver.instances.supervisor_process import MAIN
from tests.conftest import processes_of
from tests.helpers.fork_server import ForkServer
from tests.helpers.forked_children import VERSION

# Prints everything about its process, and exits as its argument says.
PROGRAM = """
import atexit, os, sys, time
print(sys.argv[1:], __name__, sys.path[0], os.getcwd(), os.environ.get("MARK"), time.tzname, sys.stdin.isatty())
print(sys.stdin.read(), sys.stdout.encoding, sys.stdout.errors, sys.stdout.isatty(), sys.flags.dont_write_bytecode)
print([name for name in sys.modules if name.startswith("tests")])
print("to stderr", file=sys.stderr)
atexit.register(print, "at exit")
if sys.argv[1] == "signal":
    sys.stdout.flush()
    os.kill(os.getpid(), 15)
if sys.argv[1] == "raise":
    raise ValueError("raised")
sys.exit({"code": 7, "text": "a text", "none": None}[sys.argv[1]])
"""


FIXTURE = """
@pytest.fixture
def ours():
    "Something."
"""


@pytest.mark.parametrize("end", ["code", "text", "none", "raise", "signal"])
def test_a_fork_behaves_like_a_new_process(forks: ForkServer, tmp_path: Path, end: str) -> None:
    """Arguments, environment, folder, streams, exit code and `atexit` are those of `subprocess.run`."""
    (tmp_path / "program.py").write_text(PROGRAM)
    encoding = {"PYTHONIOENCODING": "ascii:backslashreplace"} if end == "text" else {}
    env = {**os.environ, "MARK": "ä", "TZ": "Asia/Tokyo", **encoding}
    args = ["-m", "program", end, "--option"]
    forked = forks.run(args, env=env, timeout=60, text="given\n")
    words = [sys.executable, *args]
    real = subprocess.run(words, env=env, input="given\n", capture_output=True, text=True, check=False)
    assert (forked.args, forked.returncode, forked.stdout) == (words, real.returncode, real.stdout)
    assert forked.stderr.splitlines()[-1] == real.stderr.splitlines()[-1]
    assert "['" + end in forked.stdout


def test_pytest_finds_the_same_in_a_fork(forks: ForkServer, tmp_path: Path) -> None:
    """The fixtures of plugins and conftest files, and the warning about a plugin that is imported already, are those of
    a new process.
    """
    (tmp_path / "conftest.py").write_text("import pytest, early\n\npytest.register_assert_rewrite('early')\n" + FIXTURE)
    (tmp_path / "early.py").write_text("")
    args = ["-m", "pytest", "--fixtures", "-v", "-p", "no:cacheprovider"]
    forked = forks.run(args, env=os.environ, timeout=60)
    real = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)
    assert forked.stdout.splitlines()[:-1] == real.stdout.splitlines()[:-1]  # the last line has the time
    for text in ("\nours -- conftest.py", "\ntemporal -- ", "\ntmp_path -- ", "cannot be rewritten; early"):
        assert text in forked.stdout


def test_a_command_that_takes_too_long_is_killed(forks: ForkServer, tmp_path: Path) -> None:
    """The error is that of `subprocess.run`."""
    (tmp_path / "program.py").write_text("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    with pytest.raises(subprocess.TimeoutExpired):
        forks.run(["-m", "program"], env=os.environ, timeout=2)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.slow
def test_output_that_a_process_holds_open_is_found(forks: ForkServer, tmp_path: Path) -> None:
    """If a child keeps the output open, readers wait, as for any process."""
    (tmp_path / "program.py").write_text(
        "import subprocess\nprint(subprocess.Popen(['sleep', '60']).pid, file=open('pid', 'w'))"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        forks.run(["-m", "program"], env=os.environ, timeout=5)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("args", "more"),
    [(["-c", ""], {}), (["-I", "-m", "devserver"], {}), (["-m", "devserver"], {"PYTHONUTF8": "1"})],
)
def test_unsupported_commands_are_refused(forks: ForkServer, args: list[str], more: dict[str, str]) -> None:
    """Interpreter options, and variables that the interpreter reads on start, need a new process."""
    assert forks.fits([sys.executable, "-m", "devserver"], os.environ) == (sys.platform == "linux")
    assert not forks.fits([sys.executable, *args], {**os.environ, **more})


def test_workers_of_xdist_are_children_in_the_session(forks: ForkServer, tmp_path: Path) -> None:
    """A run of pytest in a session of its own has xdist's workers there, so that Ctrl-C and the end of the run reach
    them, also one that replaces a crashed worker.
    """
    (tmp_path / "test_it.py").write_text(
        "import glob, os, pytest, time\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_it(number):\n"
        "    print(os.getsid(0), os.getppid(), file=open(f'worker-{os.getpid()}', 'w'))\n"
        "    if number == 0:\n"
        "        os._exit(3)\n"
        "    while len(glob.glob('worker-*')) < 3:\n"  # so that the worker that replaces it gets a test
        "        time.sleep(0.01)\n"
    )
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-n", "2"]
    with Path(os.devnull).open("r+b") as nothing, pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        streams = {"stdin": nothing.fileno(), "stdout": nothing.fileno(), "stderr": nothing.fileno()}
        run = forks.start(command, env=os.environ, session=True, **streams)
        assert run.wait(60) == 1
    assert {path.read_text() for path in tmp_path.glob("worker-*")} == {f"{run.pid} {run.pid}\n"}
    assert len(list(tmp_path.glob("worker-*"))) == 3


STARTS = """
import atexit, pathlib, psutil
from devserver import DevServer

ended = pathlib.Path.cwd() / "ended"
atexit.register(ended.touch)
server = DevServer.start(ui=False)
supervisor = psutil.Process(server.pid).parent()
print(supervisor.pid, supervisor.ppid(), flush=True)
input()
server.close()
supervisor.wait(60)
print(ended.exists())
"""


@pytest.mark.skipif(platform.python_version_tuple()[:2] != VERSION, reason="other versions start it as always")
def test_what_a_forked_command_starts_is_forked(
    forks: ForkServer, installed: Executable, home: Path, tmp_path: Path
) -> None:
    """A supervisor is a child of the command, looks in `/proc` as always, and does not do what its parent does at its
    end.
    """
    read, write = os.pipe()
    with os.fdopen(read) as answer, os.fdopen(write, "w") as question:
        out, printed = os.pipe()
        process = forks.start(["-c", STARTS], env=os.environ, stdin=answer.fileno(), stdout=printed, stderr=2)
        os.close(printed)
        with process, os.fdopen(out) as lines:
            supervisor, parent = (int(word) for word in lines.readline().split())
            assert parent == process.pid
            assert {supervisor, parent} <= {each.pid for each in processes_of(home)}
            words = psutil.Process(supervisor).cmdline()
            assert words[1:4] == ["-S", "-E", str(MAIN)]
            assert "temporal_sdk_bridge" in Path(f"/proc/{supervisor}/maps").read_text()
            question.write("\n")
            question.flush()
            assert lines.readline() == "False\n"
