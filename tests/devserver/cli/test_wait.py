"""`devserver wait`: returns when a server is ready; its exit code is a health check."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.conftest import CLI_LIMIT, Run, command
from tests.helpers.waiting import eventually

from .conftest import StatusOf


@contextmanager
def waiting(*args: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in the background; kill it at the end of the block if it still runs."""
    words = command("wait", "--timeout", str(CLI_LIMIT), *args)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_instance_that_is_about_to_start(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """It waits for an instance that does not exist yet, and prints its address; with --quiet nothing."""
    with waiting("shop") as process:
        quick_up("--name", "shop", "--no-ui", "--namespace", "orders")
        out, err = process.communicate(timeout=CLI_LIMIT)
    address = status_of("shop")["address"]
    assert (process.returncode, out, err) == (0, f"{address} is ready\n", "")
    assert devserver("wait", "--name", "shop", "-q", "--timeout", "0").stdout == ""
    found = json.loads(devserver("wait", "shop", "--json").stdout)
    assert found == {"form": 1, "name": "shop", "address": address, "namespace": "orders", "state": "ready"}
    missing = devserver("wait", "shop", "--namespace", "gone", "--timeout", "0")
    assert missing.returncode == 1
    assert "it is unresponsive: it has no namespace gone\n" in missing.stderr
    assert missing.stderr.endswith("create the namespace with: devserver up --name shop --namespace gone\n")


def test_an_instance_that_is_not_ready(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """A frozen server is not ready (1), and the wait ends when it is continued; Ctrl-C ends it, too."""
    quick_up("--no-ui")
    server = psutil.Process(status_of()["pid"])
    server.suspend()
    frozen = devserver("wait", "--timeout", "0")
    assert (frozen.returncode, frozen.stdout) == (1, "")
    assert "the instance default is not ready; it is unresponsive: it does not answer" in frozen.stderr
    assert f"continue it with kill -CONT {server.pid}" in frozen.stderr
    with waiting() as interrupted, waiting() as process:
        eventually(lambda: asks(interrupted) and asks(process))
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.communicate(timeout=CLI_LIMIT)[1].strip() == "interrupted"
        assert interrupted.returncode == 130
        server.resume()
        assert process.wait(CLI_LIMIT) == 0
    devserver("down")
    stopped = devserver("wait", "--timeout", "0")
    assert (stopped.returncode, stopped.stderr.splitlines()) == (
        1,
        ["error: the instance default is not ready; it is stopped", "hint: start it with: devserver up"],
    )


def test_an_instance_that_dies(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The wait for one that was running ends at once with the end of its log, whatever its limit."""
    quick_up("--no-ui")
    server = psutil.Process(status_of()["pid"])
    server.suspend()
    with waiting() as process:
        eventually(lambda: asks(process))
        server.kill()
        _, err = process.communicate(timeout=CLI_LIMIT)
    assert process.returncode == 1
    assert err.startswith("error: the instance default crashed (signal 9) before it was ready\n")
    assert err.endswith("hint: start it again with: devserver up\n")


def asks(process: subprocess.Popen[str]) -> bool:
    """Whether a waiting process asks a server: it has a connection to one."""
    return bool(psutil.Process(process.pid).net_connections())


def test_an_instance_that_does_not_exist(home: object, devserver: Run) -> None:
    """Exit code 4, as of every command that cannot ask."""
    done = devserver("wait", "gone", "--timeout", "200ms")
    assert (done.returncode, done.stderr.splitlines()[0]) == (4, "error: there is no instance gone")


def test_another_server(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """With --address any server is asked: ready 0; a missing namespace or no answer 4."""
    quick_up("--no-ui")
    address = status_of()["address"]
    ready = devserver("wait", "--address", address)
    assert (ready.returncode, ready.stdout) == (0, f"{address} is ready\n")
    by_variable = devserver("wait", "--json", env={"TEMPORAL_ADDRESS": address})
    assert json.loads(by_variable.stdout)["name"] is None
    missing = devserver("wait", "--address", address, "--namespace", "gone", "--timeout", "0")
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (
        4,
        f"error: there is no namespace gone at {address}",
    )
    refused = devserver("wait", "--address", "127.0.0.1:9", "--timeout", "0")
    assert refused.returncode == 4
    assert refused.stderr.startswith("error: cannot connect to 127.0.0.1:9: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "--name", "b"), "NAME and --name are two different instances"),
        (("a", "--address", "127.0.0.1:1"), "--name is a managed instance, --address and --profile are other servers"),
        (("--tls",), "--tls: the managed instance default uses neither TLS nor keys"),
        (("../a",), "'../a' is not a valid instance name"),
        (("--timeout", "soon"), "--timeout 'soon' is not a duration"),
        (("--address", "here", "--timeout", "0"), "cannot connect to here"),
        (("--address", "http://127.0.0.1:1"), "http://127.0.0.1:1 is not host:port"),
    ],
)
def test_wrong_usage(home: object, devserver: Run, words: tuple[str, ...], message: str) -> None:
    """It is refused at once, whatever the limit."""
    done = devserver("wait", *words, limit=CLI_LIMIT)
    assert done.returncode in (2, 4)
    assert done.stderr.startswith(f"error: {message}")
