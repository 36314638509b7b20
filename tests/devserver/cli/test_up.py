"""`devserver up`: ready servers, and errors that say what to do."""

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
    """Two ports that are 1000 apart, kept from everyone but a server."""
    while True:
        ui = Reservation("127.0.0.1", 0)
        with contextlib.suppress(OSError):
            return ui, Reservation("127.0.0.1", ui.port - 1000)
        ui.release()


def frontend_of(found: dict[str, str]) -> HttpApi:
    """The server's HTTP face."""
    return HttpApi("127.0.0.1", int(found["http_url"].rpartition(":")[2]))


def words_of(pid: int) -> list[str]:
    """The command line of a process."""
    return psutil.Process(pid).cmdline()


def options_of(words: list[str], option: str) -> list[str]:
    """What a repeatable option was given in a command line."""
    return [words[index + 1] for index, word in enumerate(words) if word == option]


def holder_is_this_process(text: str) -> bool:
    """Whether an error names this very process."""
    me = psutil.Process()
    return f"held by {me.name()} (pid {os.getpid()}): {' '.join(me.cmdline())[:40]}" in text


# Ready


def test_detached_means_ready(up: Run, status_of: StatusOf, paths: Paths) -> None:
    """When `up -d` returns, everything that the banner names answers."""
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
    assert frontend_of(found).serves("default")
    for url in (found["ui_url"], found["metrics_url"]):
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.status == 200


def test_everything_it_keeps_is_private(up: Run, home: Path) -> None:
    """No folder and no file below ours can be read by others, the database and its log among them."""
    up("-n", "orders")
    everything = [path for path in (home / "devserver").rglob("*") if "/bin/" not in str(path)]
    assert any(path.name == "temporal.db" for path in everything)
    open_ = {str(path): oct(path.stat().st_mode) for path in everything if path.stat().st_mode & 0o077}
    assert open_ == {}


def test_quiet_says_nothing(up: Run) -> None:
    """With --quiet only errors are printed."""
    done = up("--quiet", "--ephemeral")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_running_instance_is_told_and_kept(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """`up` on a running server exits 0, detached or not, and nothing is started."""
    up("--ephemeral")
    before = status_of()
    for args in (("up",), ("up", "-d"), ("up", "--tuning", "fast", "--ephemeral")):
        done = devserver(*args)
        assert done.returncode == 0, done.stderr
        assert "already running" in done.stdout.splitlines()[0]
        assert before["address"] in done.stdout
    assert status_of() == before


def test_other_options_than_it_runs_with_are_named(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Both values of every option that differs, spelled as on the command line."""
    quick_up("--name", "a", "--retention", "1d12h")
    found = status_of("a")
    ui = found["ui_url"].rpartition(":")[2]
    done = devserver(
        *("up", "-d", "--name", "a", "--port", "1234", "--ui-port", "2222", "--no-ui", "--tuning", "stock"),
        *("--db", "/tmp/x.db", "--dynamic-config", "a.b=1", "--retention", "30d", "--log-level", "info"),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the instance a is already running, with other options\n"
        f"  --db: running with {found['database']}, requested /tmp/x.db\n"
        "  --dynamic-config: running with none, requested a.b=1\n"
        "  --log-level: running with warn, requested info\n"
        f"  --port: running with {found['address'].rpartition(':')[2]}, requested 1234\n"
        "  --retention: running with 1d12h, requested 30d\n"
        "  --tuning: running with fast, requested stock\n"
        "  --no-ui: running with off, requested on\n"
        f"  --ui-port: running with {ui}, requested 2222\n"
        "hint: stop it first (devserver down --name a), or start another instance with --name\n"
    )


def test_two_at_once_are_one_server(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """Two `up -d` at the same moment both succeed, with the same server."""
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: devserver("up", "-d", "--port", "0", "--ephemeral"), range(2)))
    assert [each.returncode for each in done] == [0, 0], done
    address = f"  address    {status_of()['address']}"
    assert all(address in each.stdout for each in done)
    assert sorted("is ready" in each.stdout for each in done) == [False, True]
    assert len([process for process in processes_of(home) if "start-dev" in process.cmdline()]) == 1


def test_several_side_by_side(quick_up: Run, status_of: StatusOf) -> None:
    """Each name is a server of its own, with state of its own."""
    quick_up("--name", "one", "-n", "first")
    quick_up("--name", "two")
    one, two = status_of("one"), status_of("two")
    assert one["address"] != two["address"]
    assert frontend_of(one).namespaces() == ["default", "first"]
    assert frontend_of(two).namespaces() == ["default"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".x", "~mine", "x" * 64, "a b"])
def test_names_that_cannot_be_folders_are_refused(devserver: Run, home: Path, name: str) -> None:
    """A name is checked before anything is made."""
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
    """Ctrl-C, `kill` and a closed terminal stop the server, which has time to finish; nothing is left running."""
    with foreground() as process:
        process.send_signal(number)
        _, errors = process.communicate(timeout=180)
    assert (process.returncode, errors.strip()) == (130, "interrupted")
    found = status_of()
    assert (found["state"], found["exit"], found["pid"]) == ("stopped", None, None)
    assert "graceful_stop" in Path(found["log"]).read_text()
    assert processes_of(home) == []


def test_ctrl_c_at_a_terminal(installed: Executable, status_of: StatusOf, home: Path) -> None:
    """Typed at a real terminal it stops the server once, in order."""
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
    """`devserver down` in another terminal ends what `up` runs here."""
    with foreground("--ephemeral") as process:
        assert status_of()["supervisor_pid"] == process.pid
        assert devserver("down").stdout == "stopped default\n"
        process.communicate(timeout=180)
    assert process.returncode == 130


def test_a_server_that_dies_ends_the_foreground_with_its_last_words(
    foreground: Foreground, status_of: StatusOf
) -> None:
    """A crash is told at once, with its cause and what is kept; the exit code is 1."""
    with foreground("--name", "a") as process:
        psutil.Process(status_of("a")["pid"]).kill()
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    lines = errors.splitlines()
    assert lines[0] == "error: the server of the instance a crashed (signal 9)"
    assert lines[1] in ("  last lines of its log:", "  its log is empty")
    assert lines[-1] == ("hint: its database has all acknowledged changes; start it again with: devserver up --name a")
    assert (status_of("a")["state"], status_of("a")["exit"]) == ("crashed", "signal 9")


def test_a_reader_that_leaves_ends_the_foreground_in_order(installed: Executable, home: Path, devserver: Run) -> None:
    """With nobody to read the banner the server is stopped, not killed."""
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
def test_a_taken_port_names_its_holder(installed: Executable, devserver: Run, taken: int, option: str) -> None:
    """The holder's name, pid and command, and the option that takes another port."""
    ports = {"--port": "0"} | {option: str(taken)}
    done = devserver("up", "-d", *(word for pair in ports.items() for word in pair))
    assert (done.returncode, done.stdout) == (1, "")
    first, held, hint = done.stderr.splitlines()
    assert first == f"error: cannot listen on 127.0.0.1:{taken}: Address already in use"
    assert holder_is_this_process(held)
    assert hint == f"hint: stop that process, or choose another port with {option} (0 takes any free one)"


def test_any_free_port_is_not_the_usual_one(quick_up: Run, status_of: StatusOf) -> None:
    """--port 0 means what it says, for the instance `default` too."""
    quick_up()
    assert not status_of()["address"].endswith(":7233")


def test_the_ui_is_where_people_look_for_it(up: Run, status_of: StatusOf) -> None:
    """At the gRPC port + 1000, as Temporal's own tools have it."""
    ui, grpc = reserved_pair()
    up("--ephemeral", "--port", str(grpc.port))
    assert status_of()["ui_url"] == f"http://127.0.0.1:{ui.port}"
    ui.release()
    grpc.release()


def test_the_usual_ui_port_gives_way(installed: Executable, up: Run, status_of: StatusOf) -> None:
    """The Web UI is at the gRPC port + 1000, or where there is room; it never stops a start."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        usual = listener.getsockname()[1]
        up("--ephemeral", "--port", str(usual - 1000))
        assert int(status_of()["address"].rpartition(":")[2]) == usual - 1000
        assert int(status_of()["ui_url"].rpartition(":")[2]) != usual


def test_ports_of_a_named_instance_stay(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The next start of a name takes the ports of the last one, so bookmarks and clients stay valid."""
    ports = ("address", "ui_url", "http_url", "metrics_url")
    for _ in range(2):
        assert devserver("up", "-d", "--name", "a", "--ephemeral").returncode == 0
        before = {key: status_of("a")[key] for key in ports}
        devserver("down", "--name", "a")
    devserver("up", "-d", "--name", "a", "--ephemeral")
    assert {key: status_of("a")[key] for key in ports} == before


def test_a_port_is_never_given_twice(installed: Executable, devserver: Run) -> None:
    """The same port for two things is refused before anything starts."""
    done = devserver("up", "-d", "--port", "7300", "--ui-port", "7300")
    assert (done.returncode, done.stderr) == (
        2,
        "error: --port and --ui-port are both 7300\nhint: give each its own port\n",
    )


def test_without_the_ui(quick_up: Run, status_of: StatusOf) -> None:
    """--no-ui serves none and says so."""
    assert "  web ui     off\n" in quick_up("--no-ui").stdout
    assert status_of()["ui_url"] is None
    assert "--headless" in words_of(status_of()["pid"])


# Namespaces, search attributes, settings


def test_namespaces_and_attributes_are_ensured_on_old_databases_too(
    up: Run, devserver: Run, status_of: StatusOf
) -> None:
    """What is asked for is there after the first start, after a later one, and on a server that runs."""
    up("-n", "orders", "--search-attribute", "CustomerId=Keyword", "--retention", "2d")
    found = status_of()
    assert (found["namespace"], found["namespaces"]) == ("orders", ["orders", "default"])
    frontend = frontend_of(found)
    for namespace in ("orders", "default"):
        assert frontend.search_attributes(namespace) == {"CustomerId": "Keyword"}
        assert frontend.retention(namespace) == 2 * DAY
    devserver("down")

    up("-n", "billing", "--search-attribute", "Amount=Double")
    frontend = frontend_of(status_of())
    assert frontend.search_attributes("billing") == {"Amount": "Double"}
    assert frontend.search_attributes("default") == {"CustomerId": "Keyword", "Amount": "Double"}
    assert [frontend.retention(name) for name in ("billing", "default", "orders")] == [30 * DAY, 30 * DAY, 2 * DAY]

    done = devserver("up", "-d", "-n", "shipping", "--search-attribute", "Tags=KeywordList")
    assert (done.returncode, "already running" in done.stdout) == (0, True)
    assert frontend.search_attributes("shipping") == {"Tags": "KeywordList"}
    assert frontend.search_attributes("billing") == {"Amount": "Double", "Tags": "KeywordList"}
    assert status_of()["namespaces"] == ["billing", "default", "shipping"]


def test_an_attribute_of_another_type_is_refused(up: Run, devserver: Run) -> None:
    """The type it has and the type asked for; the server does not run half set up."""
    up("--search-attribute", "Total=Int")
    devserver("down")
    done = devserver("up", "-d", "--port", "0", "--search-attribute", "Total=Text")
    assert done.returncode == 1
    assert done.stderr == (
        "error: the search attribute Total of namespace default is Int, not Text\n"
        "hint: the type cannot be changed: choose another name, or another namespace\n"
    )
    assert devserver("status").returncode == 1


def test_the_limit_of_attributes_is_told(installed: Executable, devserver: Run) -> None:
    """One more than Temporal has room for: its words, and the limit."""
    four = [word for number in range(4) for word in ("--search-attribute", f"Flag{number}=Bool")]
    done = devserver("up", "-d", "--port", "0", "--ephemeral", *four)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Temporal rejects the search attributes Flag0=Bool, Flag1=Bool, ")
    assert "for namespace default\n" in done.stderr
    assert "hint: a namespace has at most 10 of type Keyword and 3 of each other type\n" in done.stderr


def test_dynamic_configuration_reaches_the_server(quick_up: Run, status_of: StatusOf, devserver: Run) -> None:
    """A value changes what the server does, and wins over the tuning's."""
    quick_up("--dynamic-config", "limit.maxIDLength=20", "--dynamic-config", "frontend.WorkflowPauseEnabled=false")
    words = words_of(status_of()["pid"])
    assert "frontend.WorkflowPauseEnabled=false" in options_of(words, "--dynamic-config-value")
    done = devserver("temporal", "workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", "x" * 21)
    assert done.returncode == 1
    assert "WorkflowId exceeds maximum allowed length (21/20)" in done.stderr


def test_dynamic_configuration_that_is_no_json_is_refused(devserver: Run) -> None:
    """The value, why it is none, and how to quote it."""
    done = devserver("up", "--dynamic-config", "history.timerProcessorMaxTimeShift=1ms")
    assert done.returncode == 2
    assert done.stderr == (
        "error: the value of the dynamic configuration history.timerProcessorMaxTimeShift is not JSON: 1ms\n"
        "  Extra data: line 1 column 2 (char 1)\n"
        "hint: quote strings twice, for example "
        "--dynamic-config 'history.timerProcessorMaxTimeShift=\"1s\"'\n"
    )


@pytest.mark.parametrize("tuning", ["fast", "stock"])
def test_tunings_are_what_they_say(quick_up: Run, status_of: StatusOf, tuning: str) -> None:
    """`fast` passes its table on, `stock` adds nothing."""
    quick_up("--tuning", tuning)
    values = options_of(words_of(status_of()["pid"]), "--dynamic-config-value")
    assert values == ([f"{setting.key}={setting.value}" for setting in FAST] if tuning == "fast" else [])


# State


def test_state_is_there_the_next_time(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A workflow started before `down` is found after `up`."""
    up()
    start = ("workflow", "start", "--type", "Order", "--task-queue", "q", "--workflow-id", "order-1")
    assert devserver("temporal", *start).returncode == 0
    devserver("down")
    up()
    done = devserver("temporal", "workflow", "describe", "--workflow-id", "order-1", "-o", "json")
    assert json.loads(done.stdout)["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"


def test_ephemeral_keeps_nothing(quick_up: Run, devserver: Run, status_of: StatusOf, home: Path, paths: Paths) -> None:
    """It writes to memory, and the folder there is gone after `down`."""
    assert "  state      not on disk (--ephemeral)\n" in quick_up().stdout
    found = status_of()
    assert found["ephemeral"] is True
    assert [folder / "temporal.db" for folder in ephemeral_folders_of(home)] == [Path(found["database"])]
    assert "synchronous=OFF" in words_of(found["pid"])
    devserver("down")
    assert ephemeral_folders_of(home) == []
    assert not paths.data.exists()


def test_a_database_of_the_users_own(up: Run, status_of: StatusOf, tmp_path: Path, paths: Paths) -> None:
    """--db keeps state in that file, relative to where the command was given."""
    up("--db", "mine.db")
    assert status_of()["database"] == str(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").is_file()
    assert not paths.database("default").exists()


def test_durable_survives_power_loss(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """--durable has SQLite wait for the disk at each commit; without it only a checkpoint does."""
    up()
    assert options_of(words_of(status_of()["pid"]), "--sqlite-pragma") == ["journal_mode=WAL", "synchronous=NORMAL"]
    devserver("down")
    up("--durable")
    assert options_of(words_of(status_of()["pid"]), "--sqlite-pragma") == ["journal_mode=WAL", "synchronous=FULL"]


@pytest.mark.parametrize("other", [("--db", "x.db"), ("--durable",)])
def test_ephemeral_contradicts_keeping(devserver: Run, other: tuple[str, ...]) -> None:
    """What keeps nothing keeps no file and survives no power loss."""
    done = devserver("up", "--ephemeral", *other)
    assert done.returncode == 2
    assert done.stderr.endswith(f"hint: use --ephemeral to keep no state, or {other[0]} to keep it\n")


# Failures


def test_a_start_that_takes_too_long_shows_the_log(devserver: Run, tmp_path: Path, paths: Paths, home: Path) -> None:
    """The limit, the log's last lines, and the two ways on; the process is gone."""
    program = illbehaved.hangs(tmp_path / "bin")
    program.write_text(program.read_text().replace("exec sleep", "echo still thinking\nexec sleep"))
    done = devserver("up", "-d", "--port", "0", "--timeout", "0.5", "--binary", str(program))
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error: the server was not ready within 0.5 s\n"
        "  last lines of its log:\n"
        "  still thinking\n"
        f"hint: allow more time with --timeout, or see the log: {paths.instance('default') / 'server.log'}\n"
    )
    assert processes_of(home) == []
    status = devserver("status").stdout
    assert "\nexit            the server was not ready within 0.5 s\n" in status


def test_opening_the_server_needs_a_word(devserver: Run) -> None:
    """--bind alone is refused: nothing is opened by accident."""
    for address in ("0.0.0.0", "::"):
        done = devserver("up", "--bind", address)
        assert done.returncode == 2
        assert done.stderr == (
            f"error: --bind {address} opens the server to the network\n"
            "  a dev server has no authentication: everyone who can reach it can read and change everything\n"
            "hint: add --allow-remote if that is what you want\n"
        )


def test_an_open_server_is_warned_of_each_time(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """At its start, when it already runs, and when it is started again."""
    warning = (
        "warning: the server listens on 0.0.0.0 without authentication: "
        "everyone who can reach it can read and change everything\n"
    )
    opened = ("--bind", "0.0.0.0", "--allow-remote", "--search-attribute", "A=Int")
    assert up("--ephemeral", *opened).stderr == warning
    found = status_of()
    assert found["address"].startswith("127.0.0.1:")
    assert options_of(words_of(found["pid"]), "--ip") == ["0.0.0.0"]
    assert devserver("up", "-d", *opened).stderr == warning
    assert devserver("up", "-d").stderr == warning
    assert devserver("restart").stderr == warning


@pytest.mark.parametrize("address", ["127.0.0.2", "::1", "192.0.2.1"])
def test_an_address_that_would_never_serve_is_refused(devserver: Run, address: str) -> None:
    """The executable listens on any address but finds itself on 127.0.0.1 only: said at once, not after a timeout."""
    done = devserver("up", "--bind", address, "--allow-remote")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: --bind {address}: "
        "Temporal's dev server works on 127.0.0.1 or on all addresses, not on another single address\n"
        "hint: use --bind 0.0.0.0 --allow-remote (:: with IPv6) and let a firewall choose who may connect\n"
    )


def test_the_projects_table_is_heeded_and_checked(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """`[tool.devserver]` sets what options leave open; a malformed one is told with file and key."""
    table = Path("pyproject.toml")
    table.write_text('[tool.devserver]\nnamespaces = ["orders"]\ntuning = "stock"\nretention = "3d"\n')
    quick_up()
    found = status_of()
    assert (found["namespace"], found["tuning"]) == ("orders", "stock")
    assert frontend_of(found).retention("orders") == 3 * DAY
    for text, told in (
        ("[tool.devserver]\nprt = 1\n", "unknown key 'prt'"),
        ('[tool.devserver]\nport = "7"\n', "port must be a port from 1 to 65535"),
        ('[tool.devserver]\ntuning = "slow"\n', "unknown tuning 'slow'"),
        ('[tool.devserver]\nretention = "soon"\n', "retention 'soon' is not a duration"),
        ("[tool.devserver\n", "is not valid TOML"),
    ):
        table.write_text(text)
        done = devserver("up", "-d")
        assert done.returncode == 2, text
        assert told in done.stderr


def test_a_state_folder_open_to_others_is_refused(installed: Executable, devserver: Run, paths: Paths) -> None:
    """Whoever may write there could choose what is run; every command says how to close it."""
    paths.instances.mkdir(mode=0o700, parents=True)
    paths.state.chmod(0o777)
    for args in (("up", "-d"), ("down",), ("status",), ("list",), ("logs",), ("env",), ("temporal", "x"), ("restart",)):
        done = devserver(*args)
        assert (done.returncode, done.stdout) == (1, ""), args
        assert done.stderr == (
            f"error: other users may write to {paths.state} (mode 0777)\nhint: run: chmod 700 {paths.state}\n"
        ), args


def test_the_clock_of_the_start_is_told(quick_up: Run, status_of: StatusOf) -> None:
    """`started_at` is the time of this start, in UTC."""
    before = time.time()
    quick_up()
    started = time.strptime(status_of()["started_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs(calendar.timegm(started) - before) < 60


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b", "a\nb"])
def test_a_path_that_sqlite_reads_as_another_file(tmp_path: Path, devserver: Run, name: str) -> None:
    """The database that is reported would not be the one that is used, so the server is not started."""
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


def test_a_path_with_spaces_and_other_letters(tmp_path: Path, up: Run, devserver: Run) -> None:
    """Everything else is a path like any other: the file that is named is the file that is used, also again."""
    path = tmp_path / "größe & co=1;" / "my orders.db"
    path.parent.mkdir()
    for _ in range(2):
        up("--db-filename", str(path))
        assert devserver("down").returncode == 0
        assert path.stat().st_size > 0
