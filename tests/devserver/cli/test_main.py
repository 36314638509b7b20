"""The root command: exit codes, messages, and what it does not load."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from devserver.cli.error_output import show
from devserver.cli.groups import LazyGroup
from devserver.cli.main import COMMANDS, SECTIONS, UNLISTED, run
from devserver.cli.main import devserver as root
from devserver.database.errors import SnapshotUnknown
from devserver.deployments.errors import BuildUnknown, DeploymentUnknown
from devserver.errors import CannotAsk, InstanceUnknown
from devserver.instances.folder import InstanceFolder
from devserver.schedules.errors import ScheduleUnknown
from devserver.system.paths import Paths
from tests.conftest import Run, command
from tests.helpers.checkout import SOURCE
from tests.helpers.terminal import Terminal


def test_help_lists_about_twenty_commands_in_sections(devserver: Run) -> None:
    """One line each, in the order in which a newcomer needs them; the last lines name the rest. -h is --help."""
    done = devserver("--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    listed = lines[lines.index("Start:") :]
    shown = [line.split()[0] for line in listed if line.startswith("  ") and ": " not in line]
    assert shown[: shown.index("binary") + 1] == [name for names in SECTIONS.values() for name in names]
    assert shown.index("binary") < 24
    rest = " ".join(lines[-5:])
    assert [name for name in UNLISTED if name not in rest] == []
    assert devserver("-h").stdout == done.stdout


def test_an_error_on_a_terminal_links_to_its_section(devserver: Run) -> None:
    """The last line is the command that shows the section, as a link; elsewhere there is no such line."""
    done = devserver("status", "--name", "nix")
    assert done.stderr.endswith("hint: start it with: devserver up --name nix\n")
    with Terminal(command("status", "--name", "nix")) as terminal:
        terminal.until("\x1b]8;;\x1b\\")
        assert terminal.code() == 4
    link = f"\x1b]8;;{SOURCE}/tree/main/docs/errors.md#instanceunknown\x1b\\"
    assert f"{link}devserver docs InstanceUnknown\x1b]8;;\x1b\\" in terminal.seen
    assert devserver("docs", "InstanceUnknown").stdout.startswith("# InstanceUnknown\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(devserver: Run, name: str) -> None:
    """Its --help works and begins with its usage."""
    done = devserver(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: devserver {name} ")
    assert isinstance(root, LazyGroup)


def test_help_loads_nothing_it_does_not_need() -> None:
    """Neither the SDK nor a command: `devserver --help` answers at once."""
    script = (
        "import sys; from devserver.cli.main import run; code = run(['--help']); "
        "print(*sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=True)
    loaded = set(done.stderr.split())
    heavy = {"temporalio", "httpx", "rich", "psutil", "filelock", "platformdirs", "sqlite3", "asyncio", "packaging"}
    assert loaded & heavy == set()
    ours = {name for name in loaded if name.startswith("devserver.cli.")}
    light = {"main", "groups", "error_output", "extension", "program_name"}
    assert ours == {f"devserver.cli.{name}" for name in light}


def test_the_version_is_the_packages(devserver: Run) -> None:
    """`devserver --version` says which one this is."""
    done = devserver("--version")
    assert (done.returncode, done.stdout) == (0, f"devserver, version {version('temporal-devserver')}\n")


def test_without_a_command_the_help_is_shown(devserver: Run) -> None:
    """As click does: usage on the terminal and exit code 2."""
    done = devserver()
    assert done.returncode == 2
    assert "Server:" in done.stdout + done.stderr


def test_an_expected_failure_is_1_and_has_no_traceback(devserver: Run) -> None:
    """What happened and what to do; nothing of Python."""
    done = devserver("up", "--binary", "nix")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: the file \S+/nix does not exist.*\n  it was given.*\nhint: correct.*\n", done.stderr)


@pytest.mark.parametrize(
    "words", [["status"], ["down"], ["logs"], ["stuck"], ["snapshot", "save"], ["schedule", "list"]]
)
def test_what_does_not_exist_is_4(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """One code for all commands, whether they ask a server or not."""
    assert run([*words, "--name", "nix"]) == 4
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[0]) == ("", "error: there is no instance nix")


def test_errors_about_what_does_not_exist_have_one_code() -> None:
    """Schedules, deployments, builds and snapshots are as workflows and namespaces: 4."""
    found = [InstanceUnknown, SnapshotUnknown, ScheduleUnknown, DeploymentUnknown, BuildUnknown, CannotAsk]
    assert {error.exit_code for error in found} == {4}


def test_a_bug_is_3_and_is_written_down(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    """A report with the traceback and without credentials, private, and where it is."""

    def broken(*_: object) -> object:
        raise ZeroDivisionError(
            "cannot divide https://me:hunter2@example.com by typed-key, set-token, plain and joined"
        )

    monkeypatch.setattr(InstanceFolder, "require_record", broken)
    arguments = ["status", "--base-url", "https://me:hunter2@example.com", "--api-key", "typed-key", "--name", "plain"]
    monkeypatch.setattr(sys, "argv", ["devserver", *arguments, "--codec-auth=joined"])
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("MY_TOKEN", "set-token")
    assert run(["status"]) == 3
    (report,) = paths.bug_reports.iterdir()
    text = report.read_text()
    assert "ZeroDivisionError" in text
    assert "in broken" in text
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "bug: ZeroDivisionError: cannot divide https://***@example.com by ***, ***, plain and ***\n"
        f"This is a bug in devserver. Please report it at {SOURCE}/issues with {report}\n"
    )
    for secret in ("hunter2", "typed-key", "set-token", "joined"):
        assert secret not in text
    assert "command: status --base-url ... --api-key ... --name ... --codec-auth\n" in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700


def test_text_of_others_in_an_error_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are not printed, and a line break in a message does not begin a hint of ours."""
    show(CannotAsk("the server says: no\x1b[2J\nhint: run this", details=["one\nhint: two"], hint="a\nerror: b"))
    printed = capsys.readouterr().err
    assert [line[:5] for line in printed.splitlines()] == ["error", "  hin", "  one", "    h", "hint:", "  err"]
    for words in (["up", "--n\x1b]0;x\x07"], ["n\x1b]0;x\x07"], ["up", "x\x1b]0;x\u202e"], ["up", "--port", "\x1b[2J"]):
        assert run(words) == 2
        assert [item for item in capsys.readouterr().err if item in "\x1b\x07\u202e"] == [], words


def test_an_argument_that_is_no_text_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes that are no UTF-8 cannot be sent to a server: that is said, and is no bug of ours."""
    monkeypatch.setattr(InstanceFolder, "require_record", lambda *_: "caf\udce9".encode())
    assert run(["trace", "caf\udce9"]) == 2
    assert capsys.readouterr().err.startswith("error: the argument caf? is not UTF-8\nhint: ")
    assert run(["trace", "cafe"]) == 3


def test_a_bug_that_cannot_be_written_down_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], paths: Paths
) -> None:
    """The report goes to the terminal, and why."""

    def broken(*_: object) -> object:
        raise ZeroDivisionError("cannot divide")

    monkeypatch.setattr(InstanceFolder, "require_record", broken)
    paths.state.parent.mkdir(parents=True, exist_ok=True)
    paths.state.write_text("a file")
    assert run(["status"]) == 3
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert "(cannot write the report: " in said


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One word, no traceback."""

    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(InstanceFolder, "require_record", interrupted)
    assert run(["status"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize("args", [("binary", "list"), ("list",), ("--help",)])
def test_a_reader_that_has_seen_enough_is_no_failure(args: tuple[str, ...]) -> None:
    """`devserver list | head -0`: exit code 0, and not a word."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command(*args), stdout=write, stderr=subprocess.PIPE, text=True, timeout=180, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_colours_are_for_terminals(devserver: Run) -> None:
    """A file or a pipe gets plain text."""
    assert "\x1b" not in devserver("status").stderr


def test_python_m_and_the_script_are_one(devserver: Run) -> None:
    """`python -m devserver` is the console script."""
    script = Path(sys.executable).parent / "devserver"
    done = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout == devserver("--help").stdout
