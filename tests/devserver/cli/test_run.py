"""`devserver run`: a worker that reloads its module, without losing workflows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from devserver.introspection.build_id import build_id
from tests.conftest import Run, command, processes_of
from tests.helpers import greeting
from tests.helpers.terminal import Terminal
from tests.helpers.tls_proxy import NAME, make_certificates, tls_proxy
from tests.helpers.waiting import eventually
from tests.helpers.worker_run import running

from .conftest import StatusOf

Start = Callable[..., None]
Result = Callable[..., object]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module in the current folder."""
    file = tmp_path / "greeting.py"
    shutil.copy(greeting.__file__, file)
    return file


@pytest.fixture
def start(devserver: Run) -> Start:
    """Start a workflow on the module's task queue."""

    def run(kind: str, workflow_id: str, *given: object, queue: str = "greeting") -> None:
        words = ["--type", kind, "--workflow-id", workflow_id, "--task-queue", queue, "--task-timeout", "1s"]
        inputs = [word for value in given for word in ("--input", json.dumps(value))]
        done = devserver("temporal", "--", "workflow", "start", *words, *inputs)
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
def result(devserver: Run) -> Result:
    """Return the workflow's result."""

    def read(workflow_id: str) -> object:
        done = devserver("temporal", "--", "workflow", "result", "--workflow-id", workflow_id, "-o", "json")
        found = json.loads(done.stdout)
        assert found["status"] == "COMPLETED", found
        return found["result"]

    return read


@pytest.fixture
def tell(devserver: Run) -> Callable[[str], None]:
    """Signal the workflow to continue."""

    def send(workflow_id: str) -> None:
        done = devserver("temporal", "--", "workflow", "signal", "--workflow-id", workflow_id, "--name", "go")
        assert done.returncode == 0, done.stderr

    return send


def edit(file: Path, old: str, new: str) -> None:
    """Change a file as an editor does: replace it with a new one."""
    text = file.read_text()
    assert old in text
    aside = file.with_suffix(".tmp")
    aside.write_text(text.replace(old, new))
    aside.replace(file)


def test_an_edit_applies_to_open_workflows(
    quick_up: Run,
    devserver: Run,
    module: Path,
    status_of: StatusOf,
    start: Start,
    result: Result,
    tell: Callable[[str], None],
) -> None:
    """An open workflow continues with the edited code; the banner shows what runs where, and the history which code
    ran."""
    quick_up()
    builds = [build_id([str(module)])]
    with running("greeting") as run:
        status = status_of()
        assert run.lines == [
            "Running greeting; press Ctrl-C to stop",
            "  task queue  greeting",
            f"  server      {status['address']}, namespace default",
            f"  web ui      {status['ui_url']}/namespaces/default/workflows",
            "  workflows   Greet, Do",
            "  activities  version, slow, crash, fail, large",
            "  reload      when code changes",
        ]
        start("Greet", "w")
        eventually((module.parent / "asked").exists)
        (module.parent / "test_greeting.py").write_text("")  # not imported by the worker
        edit(module, 'VERSION = "one"', 'VERSION = "two"\n\n@activity.defn\nasync def more() -> None: ...\n')
        assert run.until("changed").endswith("changed: greeting.py")
        assert run.until("reloaded").endswith("reloaded; new activity more")
        builds.append(build_id([str(module)]))
        tell("w")
        assert result("w") == ["one", "two"]
        history = devserver("temporal", "--", "workflow", "show", "--workflow-id", "w", "--output", "json").stdout
        assert [build for build in builds if build not in history] == []
        assert "test_greeting" not in run.text
        assert run.end() == 130


@pytest.mark.parametrize(("grace", "done_by"), [("20", "one"), ("0.2", "two")])
def test_an_edit_during_an_activity(
    quick_up: Run, module: Path, start: Start, result: Result, grace: str, done_by: str
) -> None:
    """The activity completes in the old worker within the grace period while the new worker runs; otherwise it is
    retried at once."""
    quick_up()
    with running("greeting.py", "--grace", grace) as run:
        start("Do", "w", "slow")
        eventually((module.parent / "begun").exists)
        edit(module, '"one"', '"two"')
        run.until("waiting up to .* s for 1 activity to finish")
        run.until("reloaded")
        eventually(lambda: (module.parent / "begun").read_text() == done_by)
        (module.parent / "release").touch()
        assert result("w") == [done_by, "two"]


def test_broken_code_does_not_stop_the_worker(
    quick_up: Run, module: Path, start: Start, result: Result, tell: Callable[[str], None]
) -> None:
    """The old code keeps running, also for new workflows, while the new code does not compile or is rejected by the
    sandbox."""
    quick_up()
    with running("greeting") as run:
        start("Greet", "w")
        eventually((module.parent / "asked").exists)
        edit(module, "VERSION = ", "VERSION ==== 2 #")
        run.until("the new code fails, the worker keeps running the old code: cannot import the module greeting")
        run.until(r'File ".*greeting.py", line')
        tell("w")
        assert result("w") == ["one", "one"]
        start("Do", "new", "fail")
        assert result("new") == ["done", "one"]
        edit(module, "VERSION ==== 2 #", 'assert not workflow.unsafe.in_sandbox(), "twice"\nVERSION = "sandbox" #')
        run.until("the new code fails")
        run.until("imports_passed_through")
        edit(module, 'assert not workflow.unsafe.in_sandbox(), "twice"\nVERSION = "sandbox" #', 'VERSION = "two" #')
        run.until("reloaded")
        start("Do", "x", "fail")
        assert result("x") == ["done", "two"]


def test_a_module_that_hangs_on_import(quick_up: Run, module: Path, start: Start, result: Result) -> None:
    """The old code keeps running, and the edit that fixes the module is picked up."""
    quick_up()
    with running("greeting") as run:
        edit(module, 'VERSION = "one"', "Path('hangs').touch()\nwhile True: time.sleep(1)")
        run.until("changed: greeting.py")
        eventually((module.parent / "hangs").exists)
        start("Do", "old", "fail")
        assert result("old") == ["done", "one"]
        edit(module, "Path('hangs').touch()\nwhile True: time.sleep(1)", 'VERSION = "two"')
        run.until("reloaded")
        start("Do", "new", "fail")
        assert result("new") == ["done", "two"]


def test_nondeterministic_change(
    quick_up: Run, module: Path, start: Start, result: Result, tell: Callable[[str], None]
) -> None:
    """The output names the workflow and how to inspect it; when the code fits again, the workflow continues."""
    quick_up()
    with running("greeting", "--namespace", "default") as run:
        start("Greet", "w")
        eventually((module.parent / "asked").exists)
        edit(module, "execute_activity(version", "execute_activity(fail")
        run.until("reloaded")
        tell("w")
        run.until(r"workflow w \(Greet\) cannot continue, its history does not match the code: \[TMPRL1100\] Nondet")
        run.until(r"activity command 'fail' \(devserver$")
        run.until(r"trace --namespace default w\)$")
        edit(module, "execute_activity(fail", "execute_activity(version")
        run.until("reloaded")
        assert result("w") == ["one", "one"]


def test_failures_are_reported_once_with_their_place(quick_up: Run, module: Path, start: Start, result: Result) -> None:
    """Each failed attempt of an activity is a line; a workflow task that keeps failing is reported once."""
    quick_up()
    edit(module, '"""Return both versions."""', 'raise KeyError("w")')
    with running("greeting", "--no-reload") as run:
        start("Do", "x", "fail")
        assert result("x") == ["done", "one"]
        start("Greet", "w")
        start("Nobody", "n")
        place = module.read_text().splitlines().index('        raise ValueError("not yet")') + 1
        for attempt in (1, 2):
            line = f"activity fail of workflow x failed, attempt {attempt}: ValueError: not yet [greeting.py:{place}]"
            assert run.until("failed").endswith(line)
        run.until(
            r"workflow w \(Greet\) is blocked, its workflow task fails and is retried: KeyError: 'w' \[greeting.py:"
        )
        run.until("NotFoundError: Workflow class Nobody is not")
        assert run.end() == 130
        assert run.text.count("workflow w (Greet)") == 1
        assert "Traceback" not in run.text


def test_a_worker_that_dies_is_restarted(quick_up: Run, module: Path, start: Start, result: Result) -> None:
    """An activity that kills the worker is retried by the next one. With nohup, a closed terminal ends neither."""
    quick_up()
    with running("greeting", "--no-reload", before=["nohup"]) as run:
        run.process.send_signal(signal.SIGHUP)
        start("Do", "w", "crash")
        run.until(r"the worker ended \(exit code 7\); restarts in 0.5 s")
        run.until("the worker is running again")
        assert result("w") == ["alive", "one"]


KILLED = """
import os, signal
if not workflow.unsafe.in_sandbox() and not Path("{marker}").exists():
    os.kill(os.getpid(), signal.SIGKILL)
VERSION ="""


def test_a_worker_that_is_killed_while_it_starts(quick_up: Run, module: Path, start: Start, result: Result) -> None:
    """The first worker and the next one are started again, with longer waits, although the code has not changed."""
    quick_up()
    edit(module, "VERSION =", KILLED.format(marker="first"))
    with running(
        "greeting", ready=r"the worker ended \(killed by SIGKILL while it started\); restarts in 0.5 s"
    ) as run:
        run.until("restarts in 1 s")
        (module.parent / "first").touch()
        run.until("^  reload ")
        edit(module, '"first"', '"second"')
        run.until("killed by SIGKILL while it started.; restarts in 0.5 s")
        start("Do", "old", "fail")
        assert result("old") == ["done", "one"]
        (module.parent / "second").touch()
        run.until("reloaded")
        assert run.end() == 130


def test_no_worker_outlives_its_command(quick_up: Run, module: Path, home: Path) -> None:
    """kill -9 of the command leaves no worker process."""
    quick_up()
    before = {process.pid for process in processes_of(home)}
    with running("greeting") as run:
        assert len(processes_of(home)) > len(before) + 1
        run.end(signal.SIGKILL)
    eventually(lambda: {process.pid for process in processes_of(home)} <= before)


def test_ctrl_c(quick_up: Run, module: Path, start: Start) -> None:
    """Ctrl-C waits for activities, and says so; a second Ctrl-C ends the worker at once."""
    quick_up()
    with Terminal(command("run", "greeting", "--no-reload"), columns=40) as terminal:
        terminal.until("reload")
        start("Do", "w", "slow")
        eventually((module.parent / "begun").exists)
        terminal.send("\x03")
        terminal.until("waiting up to")
        terminal.send("\x03")
        assert terminal.code() == 130


def test_server_outage(up: Run, devserver: Run, status_of: StatusOf, module: Path, start: Start) -> None:
    """The worker waits for the server and continues when it is back, even on another port; a frozen one is not called
    gone; SIGTERM is a regular shutdown."""
    up()
    with running("greeting", "--no-reload") as run:
        os.kill(status_of()["pid"], signal.SIGSTOP)
        run.until(r"the server at 127.0.0.1:\d+ does not answer within 5 s; the worker waits for it")
        os.kill(status_of()["pid"], signal.SIGCONT)
        run.until("answers again")
        devserver("down")
        run.until(r"the server at 127.0.0.1:\d+ cannot be reached; the worker waits for it")
        up()
        run.until("the worker ended .the instance default now runs at 127.0.0.1")
        run.until("the worker is running again")
        start("Greet", "w")
        eventually((module.parent / "asked").exists)
        assert run.end(signal.SIGTERM) == 0


CODEC = """
from dataclasses import replace
from temporalio.converter import DataConverter, PayloadCodec

class Down(PayloadCodec):
    async def encode(self, payloads):
        return list(payloads)
    async def decode(self, payloads):
        raise ConnectionError("nobody listens")

converter = replace(DataConverter.default, payload_codec=Down())
"""


def test_invalid_modules_and_targets(quick_up: Run, devserver: Run, module: Path, start: Start) -> None:
    """A module that is missing, fails, is empty or has a name twice is an error; so is a missing namespace or
    server. A codec that is down is named as the cause, not the workflow."""
    (module.parent / "fails.py").write_text("import greeting\n1 / 0\n")
    (module.parent / "empty.py").write_text("")
    twice = "@activity.defn(name='a')\ndef {}(): ...\n"
    (module.parent / "clash.py").write_text(f"from temporalio import activity\n{twice.format('b')}{twice.format('c')}")
    done = devserver("run", "greeting")
    assert (done.returncode, done.stdout) == (4, "")
    assert "devserver up" in done.stderr
    quick_up()
    for words, code, message in (
        (["nothing"], 2, "there is no module nothing"),
        (["fails"], 1, "line 2, in <module>"),
        (["empty"], 1, "has no workflow, no activity and no Nexus service"),
        (["clash"], 1, "two activities have the same name: a"),
        (["greeting:Nope"], 2, "Nope"),
        (["greeting", "--namespace", "nope"], 4, "no namespace nope"),
        (["greeting", "--deployment-name", "d"], 2, "--build-id ID"),
    ):
        done = devserver("run", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert message in done.stderr, done.stderr
        assert "devserver/" not in done.stderr
    (module.parent / "codec.py").write_text(CODEC)
    with running("greeting", "--no-reload", "--data-converter", "codec:converter") as run:
        start("Do", "w", "fail")
        run.until(r"the workflow with run id [-0-9a-f]{36} is blocked")
        reason = (
            "decoding its payloads fails, in the payload codec or external storage: ConnectionError: nobody listens"
        )
        eventually(lambda: reason in " ".join(run.text.split()))


def test_build_of_a_deployment(quick_up: Run, devserver: Run, status_of: StatusOf, module: Path) -> None:
    """The server lists the worker's version; a build is fixed code, so files are not watched."""
    quick_up()
    address = status_of()["address"]
    with running("greeting", "--build-id", "b1", "--deployment-name", "greetings", "--address", address) as run:
        assert f"  server      {address}, namespace default" in run.lines
        assert "web ui" not in run.text
        assert "  version     build b1 of the deployment greetings, pinned" in run.lines
        assert "              gets no new workflows until it is current:" in run.lines
        assert f"              devserver deployment set-current greetings b1 --address {address}" in run.lines
        assert run.lines[-1] == "  reload      off"
        words = ["--", "worker", "deployment", "describe", "--name", "greetings", "-o", "json"]
        eventually(lambda: "b1" in devserver("temporal", *words).stdout)


PROFILE = """
[profile.shop]
address = "{address}"
api_key = "a key"
[profile.shop.tls]
server_name = "{name}"
server_ca_cert_path = "{folder}/ca.pem"
client_cert_path = "{folder}/client.pem"
client_key_path = "{folder}/client.key"
"""


def test_client_profile(quick_up: Run, status_of: StatusOf, module: Path, start: Start, result: Result) -> None:
    """With mutual TLS and an API key the worker runs, also after an edit, and the key is never shown."""
    quick_up()
    certificates = make_certificates(module.parent / "certificates")
    file = module.parent / "profiles.toml"
    with tls_proxy(status_of()["address"], certificates, clients=True) as address:
        file.write_text(PROFILE.format(address=address, name=NAME, folder=certificates.folder))
        with running("greeting", "--profile", "shop", env={"TEMPORAL_CONFIG_FILE": str(file)}) as run:
            assert f"  server      {address}, namespace default" in run.lines
            edit(module, '"one"', '"two"')
            run.until("reloaded")
            start("Do", "w", "fail")
            assert result("w") == ["done", "two"]
            assert run.end() == 130
            assert "a key" not in run.text


def test_large_payloads(quick_up: Run, module: Path, start: Start, result: Result) -> None:
    """An activity may return more than the server accepts; without the folder it cannot."""
    quick_up()
    with running("greeting", "--no-reload") as run:
        start("Do", "w", "large")
        assert result("w") == [3_000_000, "one"]
        run.end()
    with running("greeting", "--no-reload", "--no-large-payloads") as run:
        start("Do", "x", "large")
        run.until("activity large of workflow x failed, attempt 1: its result is 3.0 MB, and the server accepts 2.1 MB")


def test_json_and_metrics(quick_up: Run, module: Path, start: Start) -> None:
    """Every event is a line of JSON without the module's own output; the metrics port does not change."""
    quick_up()
    edit(module, "VERSION =", "print('hello')\nVERSION =")
    with running("greeting", "--json", "--metrics-port", "0", ready='"running"') as run:
        first = json.loads(next(line for line in run.lines if line.startswith("{")))
        edit(module, '"one"', '"two"')
        run.until('"changed"')
        second = json.loads(run.until('"replaced"'))
        assert first["metrics_url"] == second["metrics_url"]
        eventually(lambda: b"temporal_num_pollers" in _answer(second["metrics_url"]))
        assert first["workflows"] == ["Greet", "Do"]
        run.end()
        assert [json.loads(line)["event"] for line in run.lines if line.startswith("{")] == [
            "running",
            "changed",
            "replaced",
            "stopping",
        ]


def _answer(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: bytes = answer.read()
    return text


NEXUS = """
from datetime import timedelta
import nexusrpc
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation
from temporalio import workflow

@nexusrpc.service
class Pricing:
    price: nexusrpc.Operation[str, int]

@service_handler(service=Pricing)
class Prices:
    @sync_operation
    async def price(self, ctx: StartOperationContext, thing: str) -> int:
        return len(thing)

@workflow.defn
class Ask:
    @workflow.run
    async def run(self, thing: str) -> int:
        client = workflow.create_nexus_client(service=Pricing, endpoint="pricing")
        return await client.execute_operation(Pricing.price, thing)
"""


def test_nexus_services(quick_up: Run, devserver: Run, tmp_path: Path, start: Start, result: Result) -> None:
    """A missing endpoint is reported or created; an endpoint with another target is not changed."""
    quick_up()
    (tmp_path / "prices.py").write_text(NEXUS)
    with running("prices", "--no-reload") as run:
        assert "  nexus       Pricing (no endpoint points here; create one with --nexus-endpoint NAME)" in run.lines
        start("Ask", "w", "tea", queue="prices")  # the server rejects a command for a missing endpoint
        run.until(r"workflow w \(Ask\) .* BadScheduleNexusOperationAttributes:$")
        run.until(r'^ +endpoint "pricing" not found \(devserver trace w\)$')
    with running("prices", "--no-reload", "--nexus-endpoint", "pricing") as run:
        assert "  nexus       Pricing (endpoint pricing)" in run.lines
        assert result("w") == 3
    done = devserver("run", "prices", "--nexus-endpoint", "pricing", "--task-queue", "other")
    assert done.returncode == 1
    assert "points to the task queue prices of the namespace default, not to other" in done.stderr


def test_a_package_in_a_src_folder(quick_up: Run, tmp_path: Path, start: Start, result: Result) -> None:
    """All modules of the package count, with relative imports and new files; they share one task queue, and imports
    outside the package are watched too."""
    quick_up()
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text('VERSION = "one"\n')
    text = Path(greeting.__file__).read_text()
    (package / "work.py").write_text(text.replace('VERSION = "one"', "from .words import VERSION"))
    with running("shop") as run:
        assert "  task queue  shop" in run.lines
        edit(package / "words.py", "one", "two")
        assert run.until("changed").endswith("changed: src/shop/words.py")
        run.until("reloaded")
        start("Do", "w", "fail", queue="shop")
        assert result("w") == ["done", "two"]
        (package / "test_more.py").write_text("")  # not part of the package
        (package / "more.py").write_text("from temporalio import activity\n@activity.defn\ndef more() -> None: ...\n")
        assert run.until("changed").endswith("changed: src/shop/more.py")
        assert run.until("reloaded").endswith("; new activity more")


def test_without_watchfiles(quick_up: Run, devserver: Run, module: Path) -> None:
    """The missing dependency is reported once, and the worker runs; --reload is refused. The output fits a narrow
    ASCII terminal."""
    quick_up()
    edit(module, "class Do:", "class Tür:")
    hidden = module.parent / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['watchfiles'] = None\n")
    environ = {"PYTHONPATH": str(hidden), "PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    done = devserver("run", "greeting", "--reload", env=environ)
    assert done.returncode == 2
    assert "hint: pip install 'temporal-devserver[run]'" in done.stderr
    with running("greeting", env=environ) as run:
        assert run.lines[0].startswith("note: cannot watch files")
        assert run.lines[-1] == "  reload      off"
        assert "  workflows   Greet, T\\xfcr" in run.lines
        assert [line for line in run.lines[1:] if len(line) > 40 and "://" not in line] == []


def test_closed_pipe(quick_up: Run, module: Path) -> None:
    """`devserver run ... | head` ends the worker without a traceback."""
    quick_up()
    words = command("run", "greeting")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stdout.readline().startswith("  reload"):
            assert process.poll() is None
        process.stdout.close()
        edit(module, '"one"', '"two"')
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
