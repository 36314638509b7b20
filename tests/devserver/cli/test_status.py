"""`devserver status`: the state of a server, for people and for scripts."""

from __future__ import annotations

import json
import re

import psutil

from devserver.system.paths import Paths
from tests.conftest import Run
from tests.helpers.waiting import eventually

from .conftest import StatusOf

# Documented in docs/json.md; removing or changing a key breaks scripts.
KEYS = [
    *("form", "name", "state", "address", "namespace", "namespaces", "ui_url", "http_url", "metrics_url", "tls"),
    *("version", "server_version", "tuning", "ephemeral", "room", "database", "executable", "log", "pid"),
    *("supervisor_pid", "holders", "started_at", "exit", "problem", "overdue"),
]


def test_ready(quick_up: Run, devserver: Run) -> None:
    """Exit code 0, and one line for each of the most important facts."""
    quick_up("-n", "orders")
    found = json.loads(devserver("status", "--json").stdout)
    done = devserver("status")
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.search(r"\d+\.\d kB of \d+\.\d GB used, \d+\.\d GB left", done.stdout)
    assert shown
    assert done.stdout == (
        "state           ready\n"
        f"address         {found['address']}\n"
        "namespaces      orders, default\n"
        f"ui url          {found['ui_url']}\n"
        f"metrics url     {found['metrics_url']}\n"
        "version         1.9.1\n"
        "server version  1.32.0\n"
        "tuning          fast\n"
        f"database        {found['database']}\n"
        f"log             {found['log']}\n"
        f"pid             {found['pid']}\n"
        f"started at      {found['started_at']}\n"
        f"room            {shown.group()}\n"
    )


def test_the_json_form_is_stable(quick_up: Run, devserver: Run, paths: Paths) -> None:
    """Exactly the documented keys, with values of the documented kinds."""
    quick_up("--name", "a", "--no-ui")
    found = json.loads(devserver("status", "--name", "a", "--json").stdout)
    assert list(found) == KEYS
    host, _, port = found["address"].rpartition(":")
    assert (host, port.isdigit()) == ("127.0.0.1", True)
    assert psutil.Process(found["pid"]).ppid() == found["supervisor_pid"]
    expected = {
        "form": 1,
        "name": "a",
        "state": "ready",
        "namespace": "default",
        "namespaces": ["default"],
        "ui_url": None,
        "version": "1.9.1",
        "server_version": "1.32.0",
        "tuning": "fast",
        "ephemeral": True,
        "log": str(paths.instance("a") / "server.log"),
        "holders": [],
        "exit": None,
    }
    assert {key: found[key] for key in expected} == expected


def test_stopped(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Exit code 1 and the same keys, without processes."""
    quick_up()
    devserver("down")
    done = devserver("status")
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "state           stopped")
    found = status_of()
    assert list(found) == KEYS
    assert (found["state"], found["pid"], found["supervisor_pid"], found["exit"]) == ("stopped", None, None, None)


def test_crashed(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Exit code 1, the reason, and how to continue."""
    up("--name", "a")
    psutil.Process(status_of("a")["pid"]).kill()
    eventually(lambda: status_of("a")["state"] == "crashed" and status_of("a")["exit"])
    done = devserver("status", "--name", "a")
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (1, "state           crashed")
    assert "exit            signal 9" in lines
    assert lines[-1] == "hint: start it again with: devserver up --name a"


def test_unresponsive(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A frozen server is not ready: exit code 1 after a limited wait; once resumed, it is ready again."""
    quick_up()
    server = psutil.Process(status_of()["pid"])
    server.suspend()
    try:
        done = devserver("status")
        assert (done.returncode, done.stdout.splitlines()[0]) == (1, "state           unresponsive")
        found = status_of()
        assert (found["state"], found["pid"]) == ("unresponsive", server.pid)
    finally:
        server.resume()
    assert devserver("status").returncode == 0


def test_unknown_instance(devserver: Run) -> None:
    """An unknown instance is an error that shows how to start it."""
    done = devserver("status", "--name", "nix", "--json")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "error: there is no instance nix\nhint: start it with: devserver up --name nix\n"


def test_the_name_can_come_from_the_environment(quick_up: Run, devserver: Run) -> None:
    """DEVSERVER_NAME chooses the instance for all commands of a shell."""
    quick_up("--name", "a")
    assert json.loads(devserver("status", "--json", env={"DEVSERVER_NAME": "a"}).stdout)["name"] == "a"
