"""`devserver trace`: output for people and scripts, on wide and narrow terminals, in a pipe and on a full disk."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, command
from tests.helpers.terminal import Terminal
from tests.helpers.traced import QUEUE, worker_process
from tests.helpers.waiting import eventually

from ..conftest import StatusOf

Start = Callable[..., None]
VARYING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RUN"),
    (r" *\d+\.\d\d s ", "AT "),
    (r"\b\d+(\.\d+)? m?s\b", "TOOK"),
)


@pytest.fixture
def start(devserver: Run) -> Start:
    """Start one of the traced workflows."""

    def run(workflow_id: str, kind: str, *values: object) -> None:
        words = ["--workflow-id", workflow_id, "--task-queue", QUEUE, "--type", kind]
        done = devserver(
            "temporal", "--", "workflow", "start", *words, *(f"--input={json.dumps(value)}" for value in values)
        )
        assert done.returncode == 0, done.stderr

    return run


@contextmanager
def served(up: Run, status_of: StatusOf) -> Iterator[None]:
    """Run a server with a worker."""
    up()
    with worker_process(status_of()["address"]):
        yield


def wait_for_output(devserver: Run, text: str, *args: str, **how: Any) -> str:
    """Return the output of `trace` once it contains the text."""
    return eventually(lambda: _having(text, devserver("trace", *args, **how)))


def _having(text: str, done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout if text in done.stdout else ""


def normalised(text: str) -> list[str]:
    """Return lines without the parts that differ between runs."""
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text.splitlines()


def test_output_formats(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """Runs, steps, repeats and failures are shown as a tree, also in 40 columns of ASCII, and as JSON."""
    with served(quick_up, status_of):
        start("loop", "Loop", 5)
        tree = wait_for_output(devserver, "└─ ✓ completed", "loop", env={"COLUMNS": "100"})
        assert normalised(tree) == [
            "✓ Loop loop, completed in TOOK",
            f"TIME, run RUN, task queue {QUEUE}",
            "input 5",
            "AT ├─ ✓ 5 × flaky, timer TOOK, TOOK in all",  # noqa: RUF001
            "         │    flaky TOOK to TOOK",
            "AT │  ├─ ✓ flaky, TOOK, 2 attempts  2 → 2",
            "         │  │    Busy: not yet second line",
            "AT └─ ✓ completed",
        ]
        start("bad", "Leaf", "bad")
        wait_for_output(devserver, "└─ ✗ failed", "bad")
        narrow = devserver("trace", "bad", env={"COLUMNS": "40", "PYTHONIOENCODING": "ascii"}).stdout
        assert max(map(len, narrow.splitlines())) <= 40
        assert narrow.isascii()
        assert normalised(narrow)[-5:] == [
            "AT |- x flaky, failed, TOOK, 3",
            "         |    attempts",
            "         |    Busy: not yet second line",
            "         |    maximum attempts reached",
            "AT `- x failed",
        ]
        assert "\x1b" not in narrow
        one_by_one = devserver("trace", "loop", "--no-fold").stdout
        assert one_by_one.count("✓ flaky") == one_by_one.count("✓ timer") == 5
        failures = devserver("trace", "loop", "--failures").stdout
        assert (failures.count("✓ flaky"), "timer" in failures) == (1, False)
        document = json.loads(devserver("trace", "loop", "--json").stdout)
        assert (document["form"], document["workflow_id"], len(document["runs"])) == (1, "loop", 1)
        assert [step["kind"] for step in document["runs"][0]["steps"]] == ["activity", "timer"] * 5


def test_children_runs_and_depth(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """All runs of children are below their steps; --depth 0 hides them; JSON has them too."""
    with served(quick_up, status_of):
        start("all", "Everything")
        wait_for_output(devserver, "✗ flaky, failed", "all")
        done = devserver("temporal", "--", "workflow", "signal", "-w", "all", "--name", "tell", "--input", '"go"')
        assert done.returncode == 0, done.stderr
        tree = normalised(wait_for_output(devserver, '└─ ✓ completed  "go"', "all", env={"COLUMNS": "120"}))
        at = tree.index('AT ├─ ✓ Leaf all-again, TOOK  "again"')
        assert tree[at + 1 : at + 9] == [
            "         │  ✓ Leaf all-again, run 1 of 2, continued as new in TOOK",
            "         │  TIME, run RUN",
            "AT │  └─ ✓ continued as new",
            "         │  ✓ Leaf all-again, run 2 of 2, completed in TOOK",
            "         │  TIME, run RUN",
            "         │  continued as new, after run RUN",
            '         │  input "last"',
            'AT │  ├─ ✓ greet, TOOK  "last" → "hello last"',
        ]
        assert 'AT ├─ ✓ nexus shop-endpoint Shop.buy, TOOK  "shoes" → "hello shoes"' in tree
        assert "AT ├─ ✗ cancel nobody, failed, TOOK: external workflow execution not found" in tree
        assert "│  ├─" not in devserver("trace", "all", "--depth", "0").stdout
        (run,) = json.loads(devserver("trace", "all", "--json").stdout)["runs"]
        children = {step["id"]: step["runs"] for step in run["steps"] if "runs" in step and step["kind"] == "child"}
        assert {name: [child_run["status"] for child_run in runs] for name, runs in children.items()} == {
            "all-again": ["continued_as_new", "completed"],
            "all-bad": ["failed"],
            "all-waits": ["completed"],
        }
        assert children["all-bad"][0]["steps"][0]["last_failure"] == "Busy: not yet second line"


def test_follow(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """A pipe gets lines, a terminal a tree; the exit code is 0 for a completed workflow, 1 for others, 130 for
    Ctrl-C."""
    with served(quick_up, status_of):
        start("waits", "Waits", "child")
        with Terminal(command("trace", "waits", "--follow"), columns=60) as terminal:
            terminal.until("until it closes")
            terminal.until("running for")
            with subprocess.Popen(command("trace", "waits", "-f"), stdout=subprocess.PIPE, text=True) as lines:
                assert lines.stdout is not None
                assert "waits > Waits running for" in lines.stdout.readline()
                signal_go(devserver, "waits")
                rest = lines.stdout.read().splitlines()
                assert [line.partition("waits ")[2] for line in normalised("\n".join(rest))] == [
                    "+ signal go",
                    "+ Waits completed in TOOK",
                ]
            assert lines.returncode == 0
            terminal.until("completed in")
            assert "waits has closed" in terminal.seen
            assert terminal.code() == 0

        start("fails", "Waits", "fail")
        with subprocess.Popen(command("trace", "fails", "-f", "--json"), stdout=subprocess.PIPE, text=True) as lines:
            assert lines.stdout is not None
            first = json.loads(lines.stdout.readline())
            assert (first["form"], first["change"], first["run"]["status"]) == (1, "run", "running")
            signal_go(devserver, "fails")
            changes = [json.loads(line) for line in lines.stdout.read().splitlines()]
            assert [change["change"] for change in changes] == ["step", "closed"]
            assert changes[1]["run"]["last_failure"] == "Luck: no luck"
        assert lines.returncode == 1

        start("long", "Waits", "child")
        with subprocess.Popen(
            command("trace", "long", "-f"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as lines:
            assert lines.stdout is not None
            lines.stdout.readline()
            lines.send_signal(signal.SIGINT)
            _, errors = lines.communicate(timeout=120)
        assert (lines.returncode, errors.strip()) == (130, "interrupted")


def test_follow_across_a_restart_on_another_port(up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """A managed instance that restarts on another port is found and followed to the end."""
    up()
    start("waits", "Waits", "child")
    before = status_of()["address"]
    with subprocess.Popen(command("trace", "waits", "-f"), stdout=subprocess.PIPE, text=True) as lines:
        assert lines.stdout is not None
        limit = threading.Timer(60, lines.kill)
        limit.start()
        try:
            assert "waits > Waits running for" in lines.stdout.readline()
            devserver("down")
            assert re.search(rf"! (the Temporal server at|cannot connect to) {before}", lines.stdout.readline())
            up()
            assert status_of()["address"] != before
            assert "! the server answers again" in lines.stdout.readline()
            done = devserver("temporal", "--", "workflow", "terminate", "-w", "waits")
            assert done.returncode == 0, done.stderr
            assert "waits x Waits terminated" in lines.stdout.readline()
            assert lines.wait() == 1
        finally:
            limit.cancel()
            lines.kill()


def signal_go(devserver: Run, workflow_id: str) -> None:
    """Signal the workflow to continue."""
    done = devserver("temporal", "--", "workflow", "signal", "-w", workflow_id, "--name", "go")
    assert done.returncode == 0, done.stderr


def test_bad_input(quick_up: Run, devserver: Run, start: Start) -> None:
    """An unknown workflow or run id, a full disk, encrypted payloads and control characters are handled without a
    crash."""
    quick_up()
    done = devserver("trace", "nobody")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: there is no workflow nobody in the namespace default\nhint: ")
    done = devserver("trace", "nobody", "--namespace", "nowhere")
    assert (done.returncode, "there is no namespace nowhere" in done.stderr) == (4, True)
    done = devserver("trace", "nobody", "--run-id", "17")
    assert (done.returncode, "17 is not a run id" in done.stderr) == (2, True)
    done = devserver("trace", "nobody", "--follow", "--failures")
    assert (done.returncode, "--follow shows all" in done.stderr) == (2, True)
    done = devserver("trace", "nobody", "--otlp-open")
    assert (done.returncode, "--otlp-open needs --otlp" in done.stderr) == (2, True)
    done = devserver("trace", "nobody", "--address", "127.0.0.1:1")
    assert (done.returncode, "cannot connect to" in done.stderr) == (4, True)
    start("order\x1b[2J", "Order")
    secret = ["--workflow-id=secret", "--task-queue=q", "--type=X", "--input=c2VjcmV0"]
    devserver("temporal", "--", "workflow", "start", *secret, "--input-meta=encoding=binary/encrypted")
    assert "input (encoded: binary/encrypted, 8 bytes)" in devserver("trace", "secret").stdout
    with Path("/dev/full").open("w") as full:
        for words in (["trace", "order\x1b[2J"], ["trace", "secret", "--json"], ["schedule", "list"], ["--help"]):
            full_disk = subprocess.run(command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert full_disk.returncode == 1, words
            assert full_disk.stderr.startswith("error: cannot write the output: No space left on device")
    done = devserver("trace", "secret", "--html", "/dev/null")
    assert (done.returncode, "/dev/null exists and is not a file" in done.stderr) == (2, True)
    noted = devserver("temporal", "--", "workflow", "terminate", "--workflow-id=secret", "--reason=enough")
    assert noted.returncode == 0, noted.stderr
    start("secret", "X")
    narrow = wait_for_output(
        devserver, "note: there is another execution", "secret", env={"COLUMNS": "40"}
    ).splitlines()
    assert max(map(len, narrow)) <= 40
    for plain in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("NO_COLOR", raising=False)
            if plain:
                patch.setenv("NO_COLOR", "1")
            with Terminal(command("trace", "secret", "--follow"), columns=40) as terminal:
                terminal.until("running for")
                terminal.until("\x1b[1A")  # redrawn
                assert ("\x1b[36m" in terminal.seen) == (not plain)
    with Terminal(command("trace", "no\x1b[2Jbody")) as terminal:
        terminal.until("there is no workflow nobody in the namespace")
        assert ("\x1b[2J" in terminal.seen, terminal.code()) == (False, 4)
    shown = devserver("trace", "order\x1b[2J").stdout
    assert ("\x1b" in shown, "Order order?[2J, running for" in shown) == (False, True)
