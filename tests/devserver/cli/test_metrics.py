"""`devserver metrics`: metrics of a server and its workers, for people and for monitoring."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import fields
from typing import Any

import pytest

from devserver.metrics import (
    EventCount,
    Latency,
    OperationMetrics,
    Quantile,
    ServerMetrics,
    TaskQueueMetrics,
    TaskSlots,
    WorkerMetrics,
    WorkerQueueMetrics,
)
from devserver.metrics.config import DatadogCoverage, MetricUse
from tests.conftest import Run, command
from tests.helpers.checkout import ROOT
from tests.helpers.measured import COMPLETED, FAILED, measured
from tests.helpers.terminal import Terminal
from tests.helpers.waiting import eventually

from .conftest import StatusOf, Watching

DONE = COMPLETED + FAILED
DONE_WITH = f"\n  completed {COMPLETED}  failed {FAILED}  attempts failed 2\n"
STARTED = f"  started {DONE}  completed {COMPLETED}  failed {FAILED}"


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """Return the next line that contains `text`."""
    assert process.stdout is not None
    return eventually(lambda: line if text in (line := process.stdout.readline()) else "")  # type: ignore[union-attr]


def wide(devserver: Run, *args: str) -> str:
    """Return the output for a wide terminal."""
    done = devserver(*args, env={"COLUMNS": "100"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def complete(shown: str) -> str:
    """Return `shown` once the server has counted all of the work, which it does once a second."""
    return shown if STARTED in shown and DONE_WITH in shown else ""


def test_a_server_and_its_worker(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Work done, backlogs and latencies are shown, also in 40 columns of ASCII, and as JSON."""
    quick_up()
    where = status_of()
    with measured(where["address"], queue="päckchen") as worked:
        args = ("metrics", "--worker", worked.address)
        shown = eventually(lambda: complete(wide(devserver, *args)))
        lines = shown.splitlines()
        assert lines[0] == f"server {where['address']}"
        assert re.fullmatch(r"  server 1\.32\.0  resident \d+ MB  heap \d+ MB  goroutines [\d,]+", lines[1])
        assert re.search(r"(?m)^  p_ckchen \(workflow\) +backlog (0|\?) +pollers \d +dispatched \d+ +at once", shown)
        assert re.search(rf"(?m)^  StartWorkflowExecution +{DONE} +p50 \S+ +p95 \S+ +mean \S+$", shown)
        assert re.search(r"(?m)^  database +[\d,]+ +p50 .* errors \d+$", shown)
        assert f"worker {worked.address}" in lines
        assert "task queue päckchen" in lines
        assert re.search(r"(?m)^  slots in use +workflow 0 of 100  local activity 0 of 100  activity 0 of 100$", shown)
        assert re.search(r"(?m)^  fail +2 +p50 .* errors 2$", shown)

        environ = {**os.environ, "COLUMNS": "40", "PYTHONIOENCODING": "ascii"}
        old = subprocess.run(command(*args), env=environ, capture_output=True, text=True, timeout=180, check=False)
        assert (old.returncode, old.stderr, "task queue p\\xe4ckchen" in old.stdout) == (0, "", True)
        assert [line for line in old.stdout.splitlines() if len(line) > 40] == []

        found = json.loads(devserver(*args, "--json").stdout)
        (server,), (worker,) = found["servers"], found["workers"]
        assert (found["form"], server["url"], server["error"]) == (1, where["metrics_url"], None)
        assert server["figures"]["workflows"]["completed"] == {"total": COMPLETED, "per_second": None}
        assert worker["figures"]["queues"][0]["workflows"]["failed"]["total"] == FAILED
        only = json.loads(devserver(*args, "--json", "--namespace", "nix").stdout)
        assert only["servers"][0]["figures"]["requests"] == only["workers"][0]["figures"]["queues"] == []


def test_some_endpoints_fail(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Metrics of the others are shown, each failure has its reason, and the exit code is not 0."""
    quick_up()
    url = status_of()["metrics_url"]
    done = devserver("metrics", "--worker", "1", "--worker", url)
    assert (done.returncode, "\nworkflows\n  started 0" in done.stdout) == (4, True)
    assert "worker 127.0.0.1:1 has no metrics\n  cannot read the metrics at http://127.0.0.1:1/metrics" in done.stdout
    assert "are those of a server, not of a worker hint: use --server for a server" in " ".join(done.stdout.split())
    found = json.loads(devserver("metrics", "--json", "--worker", "1").stdout)
    assert (found["workers"][0]["figures"], found["workers"][0]["error"]["error"]) == (None, "CannotAsk")
    assert devserver("metrics", "--server", url).returncode == 0
    devserver("down")
    done = devserver("metrics", "--worker", "1")  # no server runs and none is named
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: cannot read the metrics at http://127.0.0.1:1/metrics")


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        ([], 4, "error: there is no instance default"),
        (["--name", "nix", "--worker", "1"], 4, "error: there is no instance nix"),
        (["--server", "127.0.0.1:1"], 4, "error: cannot read the metrics at http://127.0.0.1:1/metrics"),
        (["--watch", "1", "--server", "1"], 4, "error: cannot read the metrics at http://127.0.0.1:1/metrics"),
        (["--server", "host"], 2, "error: --server host is not the address of a metrics endpoint"),
        (["--worker", "host:port"], 2, "error: --worker host:port is not the address of a metrics endpoint"),
        (["--name", "default", "--server", "1"], 2, "error: --name and --server exclude each other"),
        (["--watch", "0"], 2, "Usage: "),
    ],
)
def test_invalid_input(devserver: Run, args: list[str], code: int, error: str) -> None:
    """Wrong usage exits with 2, an unreachable server with 4, also on the first poll of --watch."""
    done = devserver("metrics", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(error)


def test_watch(up: Run, devserver: Run, watching: Watching, status_of: StatusOf) -> None:
    """A pipe gets a line per poll, with rates. A server that stops is reported once and counts from 0 when it is
    back. Ctrl-C exits with 130."""
    up()
    address = status_of()["address"]
    with watching("metrics") as process:
        assert f" server {address}: started 0, completed 0, failed 0, backlog 0" in line_with(process, "server")
        with measured(address):
            busy = line_with(process, f"completed {COMPLETED} (")
            assert f"completed {COMPLETED} (0/s)" not in busy
        devserver("down")
        assert re.search(
            r"Z ! the instance default is not running \(stopp\w+\)$", line_with(process, " ! the instance")
        )
        up()
        address = status_of()["address"]
        assert line_with(process, "answers again").endswith(f" ! server {address} answers again\n")
        assert line_with(process, "was restarted").endswith(
            f" ! server {address} was restarted: its counts start at 0\n"
        )
        assert "completed 0 (0/s)" in line_with(process, "completed")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, errors.strip()) == (130, "interrupted")
    assert "Traceback" not in rest


def test_watch_as_json(quick_up: Run, devserver: Run, watching: Watching) -> None:
    """Every poll is one line with the time since the last one, or an error while the server is unreachable."""
    quick_up()
    with watching("metrics", "--json") as process:
        first: Any = json.loads(line_with(process, "{"))
        assert first["servers"][0]["seconds"] is None
        second = json.loads(line_with(process, "{"))
        assert second["servers"][0]["seconds"] >= 0.2
        assert second["servers"][0]["figures"]["workflows"]["started"] == {"total": 0, "per_second": 0.0}
        devserver("down")
        assert json.loads(line_with(process, '"error": "CannotAsk"'))["form"] == 1


def test_watch_on_a_terminal(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The screen is redrawn; while the server is unreachable its last values stay; Ctrl-C ends it without a
    traceback."""
    up()
    with Terminal(command("metrics", "--watch", "0.2"), columns=60) as terminal:
        terminal.until("every 0.2 s; Ctrl-C ends")
        terminal.until("started 0 (0/s)")
        assert "\x1b[1A" in terminal.seen
        devserver("down")
        terminal.until("; last seen:")
        terminal.until("started 0 (0/s)")
        up()
        terminal.until("was restarted")
        terminal.send("\x03")
        terminal.until("interrupted")
        assert terminal.code() == 130
        assert "Traceback" not in terminal.seen


def test_the_json_forms_are_described_key_by_key() -> None:
    """docs/json.md documents every key of the metrics of servers and workers, and of configurations."""
    text = (ROOT / "docs" / "json.md").read_text()
    for name, records in (
        (
            "metrics",
            (
                EventCount,
                OperationMetrics,
                Quantile,
                Latency,
                ServerMetrics,
                TaskQueueMetrics,
                WorkerMetrics,
                WorkerQueueMetrics,
                TaskSlots,
            ),
        ),
        ("observe", (MetricUse, DatadogCoverage)),
    ):
        (section,) = re.findall(rf"(?ms)^## `{name} --json`$(.*?)(?=^## )", text)
        keys = set(re.findall(r"`([a-z0-9_]+)`", section))
        assert {field.name for record in records for field in fields(record)} - keys == set()
