"""`devserver restart`: the same server in new processes."""

from __future__ import annotations

import psutil

from tests.conftest import Run

from .conftest import Foreground, StatusOf

SAME = (
    *("name", "state", "address", "namespace", "namespaces", "ui_url", "http_url", "metrics_url", "version"),
    *("server_version", "tuning", "ephemeral", "database", "executable", "log", "holders", "exit"),
)


def test_restart_keeps_ports_options_namespaces_and_state(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Only the processes are new; namespaces added later are kept too."""
    up("--name", "a", "-n", "orders", "--tuning", "stock", "--dynamic-config", "a.b=1", "--durable")
    up("--name", "a", "-n", "billing")
    before = status_of("a")
    words = psutil.Process(before["pid"]).cmdline()
    devserver("temporal", "--name", "a", "operator", "namespace", "create", "-n", "by-hand")
    done = devserver("restart", "--name", "a")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Temporal 1.9.1 (server 1.32.0) is ready; devserver down --name a stops it\n  instance   a\n"
    )
    after = status_of("a")
    assert {key: after[key] for key in SAME} == {key: before[key] for key in SAME}
    assert after["namespaces"] == ["orders", "default", "billing"]
    assert after["pid"] != before["pid"]
    assert psutil.Process(after["pid"]).cmdline() == words
    described = devserver("temporal", "--name", "a", "operator", "namespace", "describe", "-n", "by-hand")
    assert described.returncode == 0


def test_an_ephemeral_server_keeps_its_state(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A restart keeps the state of an ephemeral server; `down` deletes it."""
    quick_up()
    devserver("temporal", "operator", "namespace", "create", "-n", "by-hand")
    before = status_of()
    assert devserver("restart").returncode == 0
    assert status_of()["database"] == before["database"]
    assert devserver("temporal", "operator", "namespace", "describe", "-n", "by-hand").returncode == 0


def test_a_stopped_server_is_started(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A stopped server starts at its last address."""
    up()
    before = status_of()
    devserver("down")
    assert devserver("restart").returncode == 0
    assert status_of()["address"] == before["address"]


def test_a_foreground_server_continues_detached(
    foreground: Foreground, up: Run, devserver: Run, status_of: StatusOf
) -> None:
    """`up` in the other terminal ends, and the server runs detached."""
    with foreground("--ephemeral") as process:
        before = status_of()
        assert devserver("restart").returncode == 0
        process.communicate(timeout=180)
    assert process.returncode == 130
    assert (status_of()["state"], status_of()["address"]) == ("ready", before["address"])


def test_unknown_instance(devserver: Run) -> None:
    """An instance that never ran cannot be restarted."""
    done = devserver("restart")
    assert (done.returncode, done.stderr) == (
        4,
        "error: there is no instance default\nhint: start it with: devserver up\n",
    )
