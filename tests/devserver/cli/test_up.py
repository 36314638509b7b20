"""`devserver up`: servers that start ready, and errors that say what to do."""

from __future__ import annotations

import calendar
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import termios
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from devserver.config.tuning import FAST
from devserver.executables import Executable
from devserver.server.http_api import HttpApi
from devserver.system.paths import Paths
from devserver.system.ports import Reservation
from tests.conftest import Run, command, ephemeral_folders_of, processes_of
from tests.helpers import illbehaved

from .conftest import Foreground, StatusOf

DAY = 86400


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def reserved_pair() -> tuple[Reservation, Reservation]:
    """Two reserved ports that are 1000 apart."""
    while True:
        ui = Reservation("127.0.0.1", 0)
        with contextlib.suppress(OSError):
            return ui, Reservation("127.0.0.1", ui.port - 1000)
        ui.release()


def http_api_of(found: dict[str, str]) -> HttpApi:
    """Return a client of the server's HTTP API."""
    return HttpApi("127.0.0.1", int(found["http_url"].rpartition(":")[2]))


def command_line_of(pid: int) -> list[str]:
    """The command line of a process."""
    return psutil.Process(pid).cmdline()


def options_of(words: list[str], option: str) -> list[str]:
    """Return all values of a repeatable option in a command line."""
    return [words[index + 1] for index, word in enumerate(words) if word == option]


def holder_is_this_process(text: str) -> bool:
    """Return whether an error names this process."""
    me = psutil.Process()
    return f"held by {me.name()} (pid {os.getpid()}): {' '.join(me.cmdline())[:40]}" in text


# Ready


def test_detached_means_ready(up: Run, status_of: StatusOf, paths: Paths) -> None:
    """When `up -d` returns, every address in the banner answers."""
    done = up()
    found = status_of()
    assert done.stderr == ""
    assert done.stdout == (
        "Temporal 1.9.1 (server 1.32.0) is ready; devserver down stops it\n"
        f"  address    {found['address']}\n"
        "  namespace  default\n"
        f"  web ui     {found['ui_url']}\n"
        f"  metrics    {found['metrics_url']}\n"
        f"  state      {paths.database('default')}\n"
        f"  log        {paths.instance('default') / 'server.log'}\n"
    )
    assert http_api_of(found).serves("default")
    for url in (found["ui_url"], found["metrics_url"]):
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.status == 200


def test_files_are_private(up: Run, home: Path) -> None:
    """Other users can read none of our folders and files, including the database and its log."""
    up("-n", "orders")
    everything = [path for path in (home / "devserver").rglob("*") if "/bin/" not in str(path)]
    assert any(path.name == "temporal.db" for path in everything)
    open_ = {str(path): oct(path.stat().st_mode) for path in everything if path.stat().st_mode & 0o077}
    assert open_ == {}


def test_quiet_prints_nothing(up: Run) -> None:
    """--quiet prints errors only."""
    done = up("--quiet", "--ephemeral")
    assert (done.stdout, done.stderr) == ("", "")


def test_running_instance_is_reported(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """`up` on a running server exits with 0, detached or not, and starts nothing."""
    up("--ephemeral")
    before = status_of()
    for args in (("up",), ("up", "-d"), ("up", "--tuning", "fast", "--ephemeral")):
        done = devserver(*args)
        assert done.returncode == 0, done.stderr
        assert "already running" in done.stdout.splitlines()[0]
        assert before["address"] in done.stdout
    assert status_of() == before


def test_options_that_differ_are_listed(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The error lists both values of every different option, in its command-line spelling."""
    quick_up("--name", "a", "--retention", "1d12h")
    found = status_of("a")
    ui = found["ui_url"].rpartition(":")[2]
    done = devserver(
        *(
            "up",
            "-d",
            "--name",
            "a",
            "--port",
            "1234",
            "--ui-port",
            "2222",
            "--no-ui",
            "--tuning",
            "stock",
            "--http-port",
            "0",
        ),
        *("--db", "/tmp/x.db", "--dynamic-config", "a.b=1", "--retention", "30d", "--log-level", "info"),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the instance a is already running, with other options\n"
        f"  --db: running with {found['database']}, requested /tmp/x.db\n"
        "  --dynamic-config: running with none, requested a.b=1\n"
        "  --http-port: running with none, requested 0\n"
        "  --log-level: running with warn, requested info\n"
        f"  --port: running with {found['address'].rpartition(':')[2]}, requested 1234\n"
        "  --retention: running with 1d12h, requested 30d\n"
        "  --tuning: running with fast, requested stock\n"
        "  --no-ui: running with off, requested on\n"
        f"  --ui-port: running with {ui}, requested 2222\n"
        "hint: stop it first (devserver down --name a), or start another instance with --name\n"
    )


def test_simultaneous_starts_share_one_server(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """Two `up -d` at the same time succeed with one server."""
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: devserver("up", "-d", "--port", "0", "--ephemeral"), range(2)))
    assert [result.returncode for result in done] == [0, 0], done
    address = f"  address    {status_of()['address']}"
    assert all(address in result.stdout for result in done)
    assert sorted("is ready" in result.stdout for result in done) == [False, True]
    assert len([process for process in processes_of(home) if "start-dev" in process.cmdline()]) == 1


def test_several_instances(quick_up: Run, status_of: StatusOf) -> None:
    """Every name is a separate server with separate state."""
    quick_up("--name", "one", "-n", "first")
    quick_up("--name", "two")
    one, two = status_of("one"), status_of("two")
    assert one["address"] != two["address"]
    assert http_api_of(one).namespaces() == ["default", "first"]
    assert http_api_of(two).namespaces() == ["default"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".x", "~mine", "x" * 64, "a b"])
def test_invalid_names_are_refused(devserver: Run, home: Path, name: str) -> None:
    """A name is checked before anything is created."""
    done = devserver("up", "-d", "--name", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {name!r} is not a valid instance name\n"
        "hint: use at most 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit\n"
    )
    assert not (home / "devserver" / "state").exists()


# In the foreground


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_foreground_ends_gracefully(
    foreground: Foreground, status_of: StatusOf, home: Path, number: signal.Signals
) -> None:
    """Ctrl-C, `kill` and a closed terminal shut the server down gracefully, and leave no process."""
    with foreground() as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=180)
    assert (process.returncode, errors.strip()) == (130, "interrupted")
    found = status_of()
    assert (found["state"], found["exit"], found["pid"]) == ("stopped", None, None)
    assert "graceful_stop" in Path(found["log"]).read_text()
    assert processes_of(home) == []


def test_ctrl_c_at_a_terminal(installed: Executable, status_of: StatusOf, home: Path) -> None:
    """Ctrl-C at a real terminal stops the server once, gracefully."""
    ours, theirs = os.openpty()
    words = command("up", "--port", "0")
    process = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    shown = b""
    while b"server.log" not in shown:
        shown += os.read(ours, 4096)
    assert b"Ctrl-C stops it" in shown
    os.write(ours, b"\x03")
    assert process.wait(60) == 130
    os.close(ours)
    assert status_of()["state"] == "stopped"
    assert "graceful_stop" in Path(status_of()["log"]).read_text()
    assert processes_of(home) == []


def test_down_ends_a_foreground_server(foreground: Foreground, devserver: Run, status_of: StatusOf) -> None:
    """`devserver down` in another terminal ends `up` in this one."""
    with foreground("--ephemeral") as process:
        assert status_of()["supervisor_pid"] == process.pid
        assert devserver("down").stdout == "stopped default\n"
        process.communicate(timeout=180)
    assert process.returncode == 130


def test_crash_ends_the_foreground(foreground: Foreground, status_of: StatusOf) -> None:
    """A crash is reported at once with its cause and what is kept; the exit code is 1."""
    with foreground("--name", "a") as process:
        psutil.Process(status_of("a")["pid"]).kill()
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    lines = errors.splitlines()
    assert lines[0] == "error: the server of the instance a crashed (signal 9)"
    assert lines[1] in ("  last lines of its log:", "  its log is empty")
    assert lines[-1] == ("hint: its database has all acknowledged changes; start it again with: devserver up --name a")
    assert (status_of("a")["state"], status_of("a")["exit"]) == ("crashed", "signal 9")


def test_closed_pipe_stops_the_server_gracefully(installed: Executable, home: Path, devserver: Run) -> None:
    """When nobody reads the banner, the server is stopped, not killed."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("up", "--port", "0"), stdout=write, stderr=subprocess.PIPE, text=True, timeout=180, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert "graceful_stop" in devserver("logs").stdout
    assert processes_of(home) == []


# Ports


@pytest.mark.parametrize("option", ["--port", "--http-port", "--ui-port", "--metrics-port"])
def test_port_in_use_names_the_process(installed: Executable, devserver: Run, taken: int, option: str) -> None:
    """The error shows name, pid and command of the process, and the option for another port."""
    ports = {"--port": "0"} | {option: str(taken)}
    done = devserver("up", "-d", *(word for pair in ports.items() for word in pair))
    assert (done.returncode, done.stdout) == (1, "")
    first, held, hint = done.stderr.splitlines()
    assert first == f"error: cannot listen on 127.0.0.1:{taken}: Address already in use"
    assert holder_is_this_process(held)
    assert hint == f"hint: stop that process, or choose another port with {option} (0 takes any free one)"


def test_port_0_is_never_the_default_port(quick_up: Run, status_of: StatusOf) -> None:
    """`--port 0` picks a free port, also for the instance `default`."""
    quick_up()
    assert not status_of()["address"].endswith(":7233")


def test_default_ui_port(up: Run, status_of: StatusOf) -> None:
    """The Web UI is at the gRPC port + 1000, as in Temporal's own tools."""
    ui, grpc = reserved_pair()
    up("--ephemeral", "--port", str(grpc.port))
    assert status_of()["ui_url"] == f"http://127.0.0.1:{ui.port}"
    ui.release()
    grpc.release()


def test_default_ui_port_in_use(installed: Executable, up: Run, status_of: StatusOf) -> None:
    """Another port is used if gRPC port + 1000 is in use; the start never fails for it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        usual = listener.getsockname()[1]
        up("--ephemeral", "--port", str(usual - 1000))
        assert int(status_of()["address"].rpartition(":")[2]) == usual - 1000
        assert int(status_of()["ui_url"].rpartition(":")[2]) != usual


def test_ports_of_a_named_instance_are_reused(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The next start reuses the last ports, so that bookmarks and clients stay valid."""
    ports = ("address", "ui_url", "http_url", "metrics_url")
    for _ in range(2):
        assert devserver("up", "-d", "--name", "a", "--ephemeral").returncode == 0
        before = {key: status_of("a")[key] for key in ports}
        devserver("down", "--name", "a")
    devserver("up", "-d", "--name", "a", "--ephemeral")
    assert {key: status_of("a")[key] for key in ports} == before


def test_duplicate_ports_are_refused(installed: Executable, devserver: Run) -> None:
    """Using one port for two purposes is refused before anything starts."""
    done = devserver("up", "-d", "--port", "7300", "--ui-port", "7300")
    assert (done.returncode, done.stderr) == (
        2,
        "error: --port and --ui-port are both 7300\nhint: give each its own port\n",
    )


def test_without_the_ui(quick_up: Run, status_of: StatusOf) -> None:
    """--no-ui starts no Web UI, and the output says so."""
    assert "  web ui     off\n" in quick_up("--no-ui").stdout
    assert status_of()["ui_url"] is None
    assert "--headless" in command_line_of(status_of()["pid"])


# Namespaces, search attributes, settings


def test_a_shorter_retention_is_reported(up: Run, devserver: Run) -> None:
    """It ends workflows that are already there sooner, and may come from a checkout's pyproject.toml."""
    up("--retention", "2d")
    devserver("down")
    assert "default now keeps closed workflows for 1h, not 2d as before" in up("--retention", "1h").stderr
    devserver("down")
    assert "closed workflows" not in up("--retention", "1h").stderr


def test_namespaces_and_attributes_are_created_on_existing_databases(
    up: Run, devserver: Run, status_of: StatusOf
) -> None:
    """They are created on the first start, on later starts, and on a running server."""
    up("-n", "orders", "--search-attribute", "CustomerId=Keyword", "--retention", "2d")
    found = status_of()
    assert (found["namespace"], found["namespaces"]) == ("orders", ["orders", "default"])
    frontend = http_api_of(found)
    for namespace in ("orders", "default"):
        assert frontend.search_attributes(namespace) == {"CustomerId": "Keyword"}
        assert frontend.retention(namespace) == 2 * DAY
    devserver("down")

    up("-n", "billing", "--search-attribute", "Amount=Double")
    frontend = http_api_of(status_of())
    assert frontend.search_attributes("billing") == {"Amount": "Double"}
    assert frontend.search_attributes("default") == {"CustomerId": "Keyword", "Amount": "Double"}
    assert [frontend.retention(name) for name in ("billing", "default", "orders")] == [30 * DAY, 30 * DAY, 2 * DAY]

    done = devserver("up", "-d", "-n", "shipping", "--search-attribute", "Tags=KeywordList")
    assert (done.returncode, "already running" in done.stdout) == (0, True)
    assert frontend.search_attributes("shipping") == {"Tags": "KeywordList"}
    assert frontend.search_attributes("billing") == {"Amount": "Double", "Tags": "KeywordList"}
    assert status_of()["namespaces"] == ["billing", "default", "shipping"]


def test_an_attribute_of_another_type_is_refused(up: Run, devserver: Run) -> None:
    """The error shows the existing and the requested type; no partly configured server is left running."""
    up("--search-attribute", "Total=Int")
    devserver("down")
    done = devserver("up", "-d", "--port", "0", "--search-attribute", "Total=Text")
    assert done.returncode == 1
    assert done.stderr == (
        "error: the search attribute Total of namespace default is Int, not Text\n"
        "hint: the type cannot be changed: choose another name, or another namespace\n"
    )
    assert devserver("status").returncode == 1


def test_refused_search_attributes(installed: Executable, devserver: Run) -> None:
    """Too many search attributes, or one with a name of Temporal's own, are an error with the true reason."""
    four = [word for number in range(4) for word in ("--search-attribute", f"Flag{number}=Bool")]
    done = devserver("up", "-d", "--port", "0", "--ephemeral", *four)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Temporal rejects the search attributes Flag0=Bool, Flag1=Bool, ")
    assert "for namespace default\n" in done.stderr
    assert "hint: a namespace has at most 10 of type Keyword and 3 of each other type\n" in done.stderr
    done = devserver("up", "-d", "--port", "0", "--ephemeral", "--search-attribute", "ExecutionStatus=Keyword")
    assert done.returncode == 1
    assert "Search attribute ExecutionStatus is reserved by system" in done.stderr
    assert "hint: Temporal uses this name itself" in done.stderr
    assert "at most 10" not in done.stderr


def test_dynamic_configuration_reaches_the_server(quick_up: Run, status_of: StatusOf, devserver: Run) -> None:
    """A value changes the server's behaviour, and overrides the tuning."""
    quick_up("--dynamic-config", "limit.maxIDLength=20", "--dynamic-config", "frontend.WorkflowPauseEnabled=false")
    words = command_line_of(status_of()["pid"])
    assert "frontend.WorkflowPauseEnabled=false" in options_of(words, "--dynamic-config-value")
    done = devserver("temporal", "workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", "x" * 21)
    assert done.returncode == 1
    assert "WorkflowId exceeds maximum allowed length (21/20)" in done.stderr


def test_invalid_dynamic_configuration(devserver: Run) -> None:
    """The error shows the value, why it is not JSON, and how to quote it."""
    done = devserver("up", "--dynamic-config", "history.timerProcessorMaxTimeShift=1ms")
    assert done.returncode == 2
    assert done.stderr == (
        "error: the value of the dynamic configuration history.timerProcessorMaxTimeShift is not JSON: 1ms\n"
        "  Extra data: line 1 column 2 (char 1)\n"
        "hint: quote strings twice, for example "
        "--dynamic-config 'history.timerProcessorMaxTimeShift=\"1s\"'\n"
    )


@pytest.mark.parametrize("tuning", ["fast", "stock"])
def test_tunings(quick_up: Run, status_of: StatusOf, tuning: str) -> None:
    """`fast` sets its values, `stock` only what keeps old closed workflows, keeps web pages out, and an ephemeral
    server's start short.
    """
    quick_up("--tuning", tuning)
    values = options_of(command_line_of(status_of()["pid"]), "--dynamic-config-value")
    tuned = [f"{setting.key}={setting.value}" for setting in FAST] if tuning == "fast" else []
    allowed = 'frontend.httpAllowedHosts=["devserver.invalid"]'
    scanners = ["worker.taskQueueScannerEnabled=false", "worker.historyScannerEnabled=false"]
    assert values == ["worker.historyScannerVerifyRetention=false", *scanners, *tuned, allowed]


# State


def test_state_survives_a_restart(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A workflow started before `down` is found after `up`."""
    up()
    start = ("workflow", "start", "--type", "Order", "--task-queue", "q", "--workflow-id", "order-1")
    assert devserver("temporal", *start).returncode == 0
    devserver("down")
    up()
    done = devserver("temporal", "workflow", "describe", "--workflow-id", "order-1", "-o", "json")
    assert json.loads(done.stdout)["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"


def test_ephemeral_keeps_no_state(quick_up: Run, devserver: Run, status_of: StatusOf, home: Path, paths: Paths) -> None:
    """State is in memory, and its folder is removed after `down`."""
    assert "  state      not on disk (--ephemeral)\n" in quick_up().stdout
    found = status_of()
    assert found["ephemeral"] is True
    assert [folder / "temporal.db" for folder in ephemeral_folders_of(home)] == [Path(found["database"])]
    assert "synchronous=OFF" in command_line_of(found["pid"])
    devserver("down")
    assert ephemeral_folders_of(home) == []
    assert not paths.data.exists()


def test_own_database_file(up: Run, status_of: StatusOf, tmp_path: Path, paths: Paths) -> None:
    """--db keeps state in that file, relative to the current folder."""
    up("--db", "mine.db")
    assert status_of()["database"] == str(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").is_file()
    assert not paths.database("default").exists()


def test_durable_survives_power_loss(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """With --durable SQLite syncs at every commit, without it only at a checkpoint."""
    up()
    assert options_of(command_line_of(status_of()["pid"]), "--sqlite-pragma") == [
        "journal_mode=WAL",
        "synchronous=NORMAL",
    ]
    devserver("down")
    up("--durable")
    assert options_of(command_line_of(status_of()["pid"]), "--sqlite-pragma") == [
        "journal_mode=WAL",
        "synchronous=FULL",
    ]


@pytest.mark.parametrize("other", [("--db", "x.db"), ("--durable",)])
def test_ephemeral_excludes_db_and_durable(devserver: Run, other: tuple[str, ...]) -> None:
    """An ephemeral server has no database file and no durability."""
    done = devserver("up", "--ephemeral", *other)
    assert done.returncode == 2
    assert done.stderr.endswith(f"hint: use --ephemeral to keep no state, or {other[0]} to keep it\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--ephemeral-size", "1GiB"), "--ephemeral-size bounds the database of --ephemeral"),
        (("--ephemeral", "--ephemeral-size", "1MB"), "1000000 bytes are too few for a database"),
        (("--ephemeral", "--ephemeral-size", "much"), "--ephemeral-size: 'much' is not a size"),
    ],
)
def test_sizes_that_make_no_sense(devserver: Run, words: tuple[str, ...], message: str) -> None:
    """Wrong usage, before anything is started."""
    done = devserver("up", "-d", *words)
    assert done.returncode == 2
    assert message in done.stderr


# Failures


def test_start_timeout_shows_the_log(devserver: Run, tmp_path: Path, paths: Paths, home: Path) -> None:
    """The error shows the limit, the last log lines and two remedies; the process is gone."""
    program = illbehaved.hangs(tmp_path / "bin")
    program.write_text(program.read_text().replace("exec sleep", "echo still thinking\nexec sleep"))
    done = devserver("up", "-d", "--port", "0", "--timeout", "0.5", "--binary", str(program))
    assert done.returncode == 1
    assert "error: the server was not ready within 0.5 s\n  nothing listens on its HTTP port " in done.stderr
    assert done.stderr.endswith(
        "  last lines of its log:\n"
        "  still thinking\n"
        f"hint: allow more time with --timeout, or see the log: {paths.instance('default') / 'server.log'}\n"
    )
    assert processes_of(home) == []
    status = devserver("status").stdout
    assert "\nexit            the server was not ready within 0.5 s\n" in status


def test_bind_needs_confirmation(devserver: Run) -> None:
    """--bind alone is refused, so that no server is opened by accident."""
    for address in ("0.0.0.0", "::"):
        done = devserver("up", "--bind", address)
        assert done.returncode == 2
        assert done.stderr == (
            f"error: --bind {address} opens the server to the network\n"
            "  a dev server has no authentication: everyone who can reach it can read and change everything\n"
            "hint: add --allow-remote if that is what you want\n"
        )


def test_open_server_prints_a_warning(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The warning appears on start, when the server already runs, and on restart."""
    warning = (
        "warning: the server listens on 0.0.0.0 without authentication: "
        "everyone who can reach it can read and change everything\n"
    )
    opened = ("--bind", "0.0.0.0", "--allow-remote", "--search-attribute", "A=Int")
    assert up("--ephemeral", *opened).stderr == warning
    found = status_of()
    assert found["address"].startswith("127.0.0.1:")
    assert options_of(command_line_of(found["pid"]), "--ip") == ["0.0.0.0"]
    assert devserver("up", "-d", *opened).stderr == warning
    assert devserver("up", "-d").stderr == warning
    assert devserver("restart").stderr == warning


@pytest.mark.parametrize("address", ["127.0.0.2", "::1", "192.0.2.1"])
def test_unusable_address_is_refused(devserver: Run, address: str) -> None:
    """The executable reaches itself only on 127.0.0.1, so other addresses are refused at once instead of after a
    timeout."""
    done = devserver("up", "--bind", address, "--allow-remote")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: --bind {address}: "
        "Temporal's dev server works on 127.0.0.1 or on all addresses, not on another single address\n"
        "hint: use --bind 0.0.0.0 --allow-remote (:: with IPv6) and let a firewall choose who may connect\n"
    )


def test_project_settings(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """`[tool.devserver]` sets defaults for options; a malformed table is an error that names file and key."""
    table = Path("pyproject.toml")
    table.write_text('[tool.devserver]\nnamespaces = ["orders"]\ntuning = "stock"\nretention = "3d"\n')
    quick_up()
    found = status_of()
    assert (found["namespace"], found["tuning"]) == ("orders", "stock")
    assert http_api_of(found).retention("orders") == 3 * DAY
    for text, message in (
        ("[tool.devserver]\nprt = 1\n", "unknown key 'prt'"),
        ('[tool.devserver]\nport = "7"\n', "port must be a port from 1 to 65535"),
        (
            '[tool.devserver]\ntuning = "slow"\n',
            "pyproject.toml:2: [tool.devserver] tuning must be one of fast, stock, not 'slow'",
        ),
        ('[tool.devserver]\nretention = "soon"\n', "retention must be a duration, such as 30d or 12h"),
        ("[tool.devserver\n", "is not valid TOML"),
    ):
        table.write_text(text)
        done = devserver("up", "-d")
        assert done.returncode == 2, text
        assert message in done.stderr


def test_a_state_folder_open_to_others_is_refused(installed: Executable, devserver: Run, paths: Paths) -> None:
    """Another user could choose what is executed, so every command refuses and shows how to fix the permissions."""
    paths.instances.mkdir(mode=0o700, parents=True)
    paths.state.chmod(0o777)
    for args in (("up", "-d"), ("down",), ("status",), ("list",), ("logs",), ("env",), ("temporal", "x"), ("restart",)):
        done = devserver(*args)
        assert (done.returncode, done.stdout) == (1, ""), args
        assert done.stderr == (
            f"error: other users may write to {paths.state} (mode 0777)\nhint: run: chmod 700 {paths.state}\n"
        ), args


def test_started_at(quick_up: Run, status_of: StatusOf) -> None:
    """`started_at` is the time of this start, in UTC."""
    before = time.time()
    quick_up()
    started = time.strptime(status_of()["started_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs(calendar.timegm(started) - before) < 60


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b", "a\nb"])
def test_path_that_sqlite_reads_as_another_file(tmp_path: Path, devserver: Run, name: str) -> None:
    """The server is not started, as it would use another file than the one reported."""
    for words, env in (
        (["--db-filename", str(tmp_path / name / "x.db")], {}),
        ([], {"DEVSERVER_HOME": str(tmp_path / name)}),
    ):
        (tmp_path / name).mkdir(exist_ok=True)
        done = devserver("up", "-d", *words, env=env)
        assert done.returncode == 2
        assert done.stderr.startswith("error: the path of the database has '")
        assert "choose a path without # ? %" in done.stderr
        assert not list(tmp_path.rglob("*.db*"))
        assert not list(tmp_path.rglob("record.json"))


def test_path_with_spaces_and_other_characters(tmp_path: Path, up: Run, devserver: Run) -> None:
    """Any other path works, also after a restart."""
    path = tmp_path / "größe & co=1;" / "my orders.db"
    path.parent.mkdir()
    for _ in range(2):
        up("--db-filename", str(path))
        assert devserver("down").returncode == 0
        assert path.stat().st_size > 0
