"""`devserver logs`: the server's log."""

from __future__ import annotations

import signal
import subprocess

import pytest

from devserver.system.paths import Paths
from tests.conftest import Run, command
from tests.helpers.waiting import eventually

SAYS = "Temporal CLI 1.9.1 (Server 1.32.0"


def test_the_log_is_shown(up: Run, devserver: Run, paths: Paths) -> None:
    """The log of both runs is shown, also for a stopped server."""
    up()
    devserver("down")
    up()
    devserver("down")
    done = devserver("logs", "--lines", "100000")
    written = (paths.instance("default") / "server.log").read_text().splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [line.rstrip() for line in written if line.strip()]
    assert sum(SAYS in line for line in written) == 2


@pytest.mark.parametrize(("lines", "shown"), [("2", ["d", "e"]), ("0", []), ("9", ["a", "b", "c", "d", "e"])])
def test_number_of_lines(quick_up: Run, devserver: Run, paths: Paths, lines: str, shown: list[str]) -> None:
    """--tail and -n show the last lines, as docker, kubectl and tail do."""
    quick_up()
    devserver("down")
    (paths.instance("default") / "server.log").write_text("a\nb\n\nc\nd\ne\n")
    for option in ("--lines", "--tail", "-n"):
        assert devserver("logs", option, lines).stdout.splitlines() == shown


def test_a_log_is_only_text(quick_up: Run, devserver: Run, paths: Paths) -> None:
    """Control characters in the log, which clients of the server can cause, are not printed."""
    quick_up()
    devserver("down")
    (paths.instance("default") / "server.log").write_text("a\tb\x1b[2Jc\u202e\n")
    for words in (["logs"], ["logs", "-f"]):
        assert devserver(*words).stdout == "a       b?[2Jc?\n"


def test_following_ends_with_the_server(up: Run, devserver: Run) -> None:
    """`logs -f` shows new lines once each, and ends when the server stops."""
    up("--log-level", "info")
    with subprocess.Popen(command("logs", "-f", "--lines", "3"), stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        devserver("temporal", "operator", "namespace", "create", "-n", "seen-in-the-log")
        devserver("down")
        rest = following.stdout.read()
    assert following.returncode == 0
    assert first
    assert "seen-in-the-log" in rest
    assert "graceful_stop" in rest
    lines = [line for line in (first + rest).splitlines() if "seen-in-the-log" in line]
    assert len(set(lines)) == len(lines)


def test_ctrl_c_ends_following(quick_up: Run, devserver: Run) -> None:
    """Exit code 130; the server keeps running."""
    quick_up("--log-level", "info")
    with subprocess.Popen(
        command("logs", "-f"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        following.stdout.readline()
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate(timeout=120)
    assert (following.returncode, errors.strip()) == (130, "interrupted")
    assert devserver("status").returncode == 0


def test_closed_pipe(quick_up: Run, devserver: Run) -> None:
    """`devserver logs | head -1` succeeds without an error message."""
    quick_up()
    with subprocess.Popen(
        command("logs", "-f"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        following.stdout.readline()
        following.stdout.close()
        devserver("down")
        errors = following.stderr.read()
    assert (following.returncode, errors) == (0, "")


def test_unknown_instance(devserver: Run) -> None:
    """An unknown instance is an error, not an empty log."""
    done = devserver("logs", "--name", "nix")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: there is no instance nix\n")


def test_the_log_of_a_running_server_is_bounded(quick_up: Run, devserver: Run, paths: Paths) -> None:
    """A log that grows over 20 MB is moved aside while the server writes to it; `logs -f` shows what comes after."""
    quick_up("--log-level", "info")
    log = paths.instance("default") / "server.log"
    with log.open("ab") as file:
        file.write((b"x" * 99 + b"\n") * 210_000)
    aside = log.with_name("server.log.1")
    eventually(lambda: aside.exists() and log.stat().st_size < 1_000_000)
    assert aside.stat().st_size > 20_000_000
    assert aside.stat().st_mode & 0o777 == 0o600
    devserver("temporal", "operator", "namespace", "create", "-n", "seen-in-the-log")
    eventually(lambda: "seen-in-the-log" in devserver("logs").stdout)
