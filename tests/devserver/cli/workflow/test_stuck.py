"""`devserver stuck`: output for people and monitoring, on managed and external servers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from devserver.stuck import Finding
from devserver.system.timefmt import age
from tests.conftest import Run, command
from tests.helpers.terminal import Terminal
from tests.helpers.tls_proxy import NAME as TLS_NAME
from tests.helpers.tls_proxy import make_certificates, tls_proxy
from tests.helpers.trouble import worker_process
from tests.helpers.waiting import eventually

from ..conftest import StatusOf, Watching

Start = Callable[..., None]
SELDOM = """from datetime import timedelta

from temporalio import workflow

@workflow.defn
class CallsSeldom:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("fail", start_to_close_timeout=timedelta(hours=1))
"""
QUEUE_LINE = "no worker polls the task queue orders for workflow tasks; this workflow needs one"


@pytest.fixture
def start(devserver: Run) -> Start:
    """Start a workflow that no worker runs."""

    def run(workflow_id: str, *, queue: str = "orders", namespace: str = "default", kind: str = "Order") -> None:
        words = ["--workflow-id", workflow_id, "--task-queue", queue, "--type", kind, "--namespace", namespace]
        done = devserver("temporal", "--", "workflow", "start", *words)
        assert done.returncode == 0, done.stderr

    return run


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line of output."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def wait_for_output(devserver: Run, *args: str) -> subprocess.CompletedProcess[str]:
    """Return the output of `stuck` once the server lists the workflow."""
    done = []

    def there() -> bool:
        done.append(devserver("stuck", *args))
        return done[-1].returncode == 1

    eventually(there)
    return done[-1]


def test_nothing_is_stuck(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Exit code 0 and one line, or the same as JSON."""
    quick_up()
    done = devserver("stuck")
    address = status_of()["address"]
    text = f"nothing is stuck in the namespace default at {address}; no workflow is open\n"
    assert (done.returncode, done.stdout.replace("\n", " ").strip(), done.stderr) == (0, text.strip(), "")
    done = devserver("stuck", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["findings"], found["open"], found["complete"]) == (0, [], 0, True)


def test_something_is_stuck(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """Exit code 1, with the workflow, the problem, its duration, and a command that you can paste."""
    quick_up()
    start("order 17")
    done = wait_for_output(devserver)
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"no worker: order 17 \(Order\), \d+s", lines[0])
    assert " ".join(line.strip() for line in lines[1:3]) == QUEUE_LINE
    assert lines[3:6] == [
        "    -> start a worker for the task queue orders",
        "       devserver temporal -- task-queue describe --task-queue orders",
        "",
    ]
    assert " ".join(lines[6:]) == (
        f"1 thing is stuck in the namespace default at {status_of()['address']}; open workflows: 1, all examined"
    )
    assert done.stderr == ""


def test_a_retried_activity_and_similar_workflows(
    quick_up: Run, devserver: Run, start: Start, status_of: StatusOf
) -> None:
    """The last failure and the next attempt are shown, workflows that fail alike are grouped, and failing code comes
    with a `trace` command for the same server."""
    quick_up()
    address = status_of()["address"]
    with worker_process(address):
        start("-broken", queue="trouble", kind="Broken")
        for number in range(5):
            start(f"calls-{number}", queue="trouble", kind="CallsSeldom")
        found = eventually(lambda: _six(devserver("stuck", "--attempts", "2")))
        elsewhere = devserver("stuck", "--address", address).stdout
        Path("seldom.py").write_text(SELDOM)
        module = ("--waits", "--module", "seldom.py")
        waiting = devserver("stuck", "calls-0", "--attempts", "2", *module)
        as_json = json.loads(devserver("stuck", "calls-0", "--attempts", "2", "--waits", "--json").stdout)
    # The workflows were started before the worker, which decides their order.
    first = re.search(r"(?m)^activity retrying: (calls-\d) \(CallsSeldom\), \d+s$", found)
    alike = re.search(
        r"(?m)^    the same in (calls-\d), (calls-\d), (calls-\d) and 1 more \(--json lists all\)$", found
    )
    assert first is not None
    assert alike is not None
    assert len({first[1], *alike.groups()}) == 4
    assert "    waits at seldom.py:9 in run: await workflow.execute_activity(" in waiting.stdout
    (finding,) = as_json["findings"]
    assert finding["waits"]["timers"] == []
    assert "name its module with --module" in finding["waits"]["notes"][0]
    assert re.search(r"its activity fail fails: attempt 2 comes next in (10m|9m\d+s)", found)
    assert "    ValueError: the disk is full second line\n" in found
    assert f"devserver temporal -- activity reset --workflow-id {first[1]} --activity-id 1" in found
    assert "       devserver trace -- -broken\n" in found
    assert f"       devserver trace --address {address} -- -broken\n" in elsewhere


def _six(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout if "6 things are stuck" in done.stdout else ""


def test_the_json_form_is_stable(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """Exactly the documented keys; ages are in seconds, times in UTC."""
    quick_up()
    start("order-17")
    found = json.loads(wait_for_output(devserver, "--json").stdout)
    assert list(found) == ["form", "address", "namespace", "at", "open", "examined", "complete", "notes", "findings"]
    assert (found["form"], found["address"], found["open"]) == (1, status_of()["address"], 1)
    (finding,) = found["findings"]
    assert set(finding) == {field.name for field in fields(Finding)} | {"age_seconds"}
    assert (finding["kind"], finding["workflow_id"], finding["task_queue"]) == ("no_worker", "order-17", "orders")
    assert finding["command"] == ["task-queue", "describe", "--task-queue", "orders"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", finding["since"])
    assert finding["age_seconds"] >= 0


def test_one_workflow_and_queries(quick_up: Run, devserver: Run, start: Start) -> None:
    """An id or a query narrows the report; the output says if the limit leaves something out."""
    quick_up()
    start("a", queue="one")
    start("b", queue="two")
    eventually(lambda: "2 things" in devserver("stuck").stdout)
    only = devserver("stuck", "b")
    assert (only.returncode, "two" in only.stdout, "one " in only.stdout) == (1, True, False)
    none = devserver("stuck", "--query", "WorkflowType = 'Payment'")
    assert (none.returncode, none.stdout.startswith("nothing is stuck")) == (0, True)
    few = devserver("stuck", "--max-workflows", "1").stdout
    assert "examined 1 of 2 open workflows" in " ".join(few.split())


def test_unknown_namespace_workflow_and_query(quick_up: Run, devserver: Run) -> None:
    """Errors have exit codes of their own, so that monitoring takes none for stuck or not stuck."""
    quick_up()
    for args, code, error in (
        (["--namespace", "nix"], 4, "error: there is no namespace nix at "),
        (["nix"], 4, "error: there is no workflow nix in the namespace default"),
        (["--query", "nonsense ="], 2, "error: the server does not understand the query: nonsense ="),
    ):
        done = devserver("stuck", *args)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith(error)


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        ([], 4, "error: there is no instance default"),
        (["--name", "nix"], 4, "error: there is no instance nix"),
        (["--name", "default", "--address", "a:1"], 2, "error: --name is a managed instance"),
        (["--address", "127.0.0.1:1"], 4, "error: cannot connect to 127.0.0.1:1: "),
        (["--waiting", "soon"], 2, "error: --waiting 'soon' is not a duration"),
        (["order-17", "--query", "WorkflowType = 'Order'"], 2, "error: --query and a workflow id exclude each other"),
        (["--attempts", "1"], 2, "Usage: "),
        (["--module", "orders.py"], 2, "error: --module has no effect without --waits"),
        (["--watch", "1", "--address", "127.0.0.1:1"], 4, "error: cannot connect to 127.0.0.1:1"),
        (["--watch", "0"], 2, "Usage: "),
        (["--watch", "nan"], 2, "Usage: "),
    ],
)
def test_invalid_input(devserver: Run, args: list[str], code: int, error: str) -> None:
    """Wrong usage exits with 2, an unreachable server with 4, also on the first poll of --watch."""
    done = devserver("stuck", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(error)


def test_a_frozen_server(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A server that accepts connections and never answers times out, with the exit code of an unreachable server."""
    quick_up()
    server = psutil.Process(status_of()["pid"])
    server.suspend()
    try:
        done = devserver("stuck")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith("error: the Temporal server at ")
    finally:
        server.resume()


def test_narrow_and_ascii_terminals(quick_up: Run, devserver: Run, start: Start) -> None:
    """The output fits into 40 columns, except commands to paste; control characters are escaped."""
    quick_up()
    start("bestellung-ü-\x1b[31m", queue="päckchen-→")
    done = wait_for_output(devserver)
    assert "\x1b" not in done.stdout
    assert "bestellung-ü-?[31m" in done.stdout
    for encoding, shown in (("ascii", "bestellung-\\xfc-?[31m"), ("latin-1", "p?ckchen-\\u2192")):
        environ = {**os.environ, "COLUMNS": "40", "PYTHONIOENCODING": encoding}
        old = subprocess.run(command("stuck"), env=environ, capture_output=True, timeout=180, check=False)
        text = old.stdout.decode("ascii", "replace").replace("\ufffd", "?")
        assert (old.returncode, old.stderr, shown in text) == (1, b"", True), text
        assert [line for line in text.splitlines() if len(line) > 40 and " temporal -- " not in line] == []


def test_watch_prints_changes(quick_up: Run, devserver: Run, start: Start, watching: Watching) -> None:
    """A pipe gets a line when a workflow gets stuck and when it continues; Ctrl-C exits with 130."""
    quick_up()
    with watching("stuck") as process:
        assert "nothing is stuck" in line(process)
        start("order-17")
        assert re.fullmatch(rf"\S+Z \+ no_worker order-17: {QUEUE_LINE}", line(process))
        devserver("temporal", "--", "workflow", "terminate", "--workflow-id", "order-17")
        assert re.fullmatch(rf"\S+Z - no_worker order-17: {QUEUE_LINE} \(after \d+s\)", line(process))
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, rest, errors.strip()) == (130, "", "interrupted")


def test_watch_survives_a_restart(up: Run, devserver: Run, start: Start, watching: Watching) -> None:
    """An unreachable server is reported once, and again when it is back; stuck workflows stay stuck."""
    up()
    start("order-17")
    wait_for_output(devserver)
    with watching("stuck") as process:
        assert "1 thing is stuck" in line(process)
        assert " + no_worker order-17" in line(process)
        devserver("down")
        assert " ! " in line(process)
        devserver("up", "-d")
        lines = [line(process)]
        while "the server answers again" not in lines[-1]:
            assert " ! " in lines[-1]
            lines.append(line(process))
        assert len(set(lines)) == len(lines)
        devserver("temporal", "--", "workflow", "terminate", "--workflow-id", "order-17")
        assert " - no_worker order-17" in line(process)


def test_watch_as_json(up: Run, devserver: Run, start: Start, watching: Watching) -> None:
    """One report per line, and an error per line while the server is unreachable."""
    up()
    with watching("stuck", "--json") as process:
        first = json.loads(line(process))
        assert (first["findings"], first["form"]) == ([], 1)
        start("order-17")
        assert eventually(lambda: json.loads(line(process))["findings"])[0]["workflow_id"] == "order-17"
        devserver("down")
        error = eventually(lambda: (report := json.loads(line(process))).get("error") and report)
        assert error["error"] == "CannotAsk"


def test_watch_on_a_terminal(quick_up: Run, start: Start, devserver: Run) -> None:
    """The screen is redrawn; Ctrl-C ends it without a traceback."""
    quick_up()
    with Terminal(command("stuck", "--watch", "0.2"), columns=60) as terminal:
        terminal.until("nothing is stuck")
        start("order-17")
        terminal.until("no worker\x1b[0m: order-17")
        assert "\x1b[1A" in terminal.seen
        terminal.send("\x03")
        terminal.until("interrupted")
        assert terminal.code() == 130
        assert "Traceback" not in terminal.seen


def test_external_server(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf) -> None:
    """Address and namespace come from options or variables, and the suggested command has the same target."""
    quick_up("-n", "default", "-n", "shop")
    start("order-17", namespace="shop")
    address = status_of()["address"]
    done = wait_for_output(devserver, "--address", address, "--namespace", "shop")
    assert f"temporal --address {address} --namespace shop task-queue describe --task-queue orders" in done.stdout
    assert "(instance" not in done.stdout
    assert devserver("stuck", "--address", address).returncode == 0
    assert wait_for_output(devserver, "--namespace", "shop").returncode == 1
    named = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "shop", "HOME": os.environ["HOME"]}
    assert devserver("stuck", env=named).returncode == 1


def test_a_client_profile(quick_up: Run, devserver: Run, start: Start) -> None:
    """The profile written by `devserver env --write-profile` selects the server and its namespace."""
    quick_up("-n", "shop")
    start("order-17", namespace="shop")
    devserver("env", "--write-profile", "dev")
    done = wait_for_output(devserver, "--profile", "dev")
    assert "temporal --profile dev task-queue describe" in done.stdout
    assert devserver("stuck", env={"TEMPORAL_PROFILE": "dev"}).returncode == 1


def test_tls(quick_up: Run, devserver: Run, start: Start, status_of: StatusOf, tmp_path: Path) -> None:
    """A server that requires a client certificate answers with ours, and refuses without."""
    quick_up()
    start("order-17")
    wait_for_output(devserver)
    certificates = make_certificates(tmp_path / "tls")
    with tls_proxy(status_of()["address"], certificates, clients=True) as address:
        ours = {"ca-path": "ca.pem", "cert-path": "client.pem", "key-path": "client.key"}
        flags = [f"--tls-{name}={certificates.path(file)}" for name, file in ours.items()]
        done = devserver("stuck", "--address", address, "--tls-server-name", TLS_NAME, *flags)
        assert (done.returncode, "order-17" in done.stdout) == (1, True), done.stderr
        done = devserver("stuck", "--address", address)
        assert (done.returncode, done.stdout) == (4, "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.6, "1m"), (192, "3m12s"), (3600, "1h"), (3605, "1h"), (90061, "1d1h"), (-5, "0s")],
)
def test_ages(seconds: float, text: str) -> None:
    """Ages are shown in at most two units."""
    assert age(timedelta(seconds=seconds)) == text


def test_help_lists_the_exit_codes(devserver: Run) -> None:
    """Authors of monitoring checks find the exit codes in --help."""
    text: Any = " ".join(devserver("stuck", "--help").stdout.split())
    assert "Exits 0 when no workflow is blocked, 1 when one is, 4 when the server cannot be reached." in text
