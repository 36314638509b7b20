"""`devserver deployment`: manual rollouts, and the checks that make them safe."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import pytest
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from devserver.cli.render import deployment
from devserver.client.target import Target
from devserver.deployments import (
    Deployment,
    DeploymentStatus,
    DeploymentVersion,
    Drainage,
    RolloutChange,
    Routing,
    VersionLoad,
    VersionTaskQueue,
)
from devserver.errors import CannotAsk
from tests.conftest import Run, command
from tests.helpers.checkout import ROOT
from tests.helpers.versioned import worker_process
from tests.helpers.waiting import eventually

from .conftest import StatusOf

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@contextmanager
def background(*args: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command that keeps running; kill it at the end of the block if it still runs."""
    with subprocess.Popen(
        command("deployment", *args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as it:
        try:
            yield it
        finally:
            it.kill()


def lines_of(process: subprocess.Popen[str], count: int) -> list[str]:
    """Return the next lines of output, without times."""
    assert process.stdout is not None
    return [TIME.sub("TIME", process.stdout.readline().rstrip("\n")) for _ in range(count)]


def start(devserver: Run, workflow_id: str, kind: str = "Stays") -> None:
    """Start a workflow."""
    words = ["--workflow-id", workflow_id, "--task-queue", "orders", "--type", kind]
    done = devserver("temporal", "--", "workflow", "start", *words)
    assert done.returncode == 0, done.stderr


def wait_for_pinned(devserver: Run, build: str, count: int) -> None:
    """Wait until this many open workflows are pinned to a build."""

    def there() -> bool:
        (found,) = json.loads(devserver("deployment", "status", "--json").stdout)["deployments"]
        return any(version["build"] == build and version["pinned"] == count for version in found["builds"])

    eventually(there)


def check_invalid_input(devserver: Run) -> None:
    """Check that errors name the nearest valid name, invalid percentages, and the missing namespace or server."""
    cases = (
        (4, "did you mean shop?", "status", "shpo"),
        (4, "did you mean 2.0?", "ramp", "shop", "2.00", "5"),
        (4, "its builds: 2.0, 1.0", "set-current", "shop", "größer"),
        (2, "error: the percentage must be a number from 0 to 100, not 101\n", "ramp", "shop", "2.0", "101"),
        (2, "error: the percentage must be a number from 0 to 100, not half\n", "ramp", "shop", "2.0", "half"),
        (2, "error: the percentage must be a number from 0 to 100, not nan\n", "ramp", "shop", "2.0", "nan"),
        (2, "a BUILD, or --unversioned", "set-current", "shop"),
        (1, "have no version", "rollback", "shop"),
        (4, "has no build 9", "wait-drained", "shop", "9"),
        (4, "there is no namespace nowhere", "status", "--namespace", "nowhere"),
    )
    for code, text, *args in cases:
        done = devserver("deployment", *args, env={"PYTHONIOENCODING": "ascii"})
        assert (done.returncode, text in done.stderr) == (code, True), done
    done = devserver("deployment", "status", env={"DEVSERVER_NAME": "other"})
    assert (done.returncode, "there is no instance other" in done.stderr) == (4, True), done.stderr


def test_manual_rollout(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Builds are listed on any terminal, and every change of the routing is reported in a sentence and in JSON. Errors
    name the nearest valid name, invalid percentages, and the missing namespace or server."""
    quick_up()
    address = status_of()["address"]

    def output(*args: str, **env: str) -> str:
        done = devserver("deployment", *args, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        return TIME.sub("TIME", done.stdout)

    assert output("status").startswith(f"no worker deployment in the namespace default at {address};")
    with worker_process(address, "1.0", "2.0"):
        assert "  no build is current yet: devserver deployment set-current shop 2.0\n" in output("status")
        check_invalid_input(devserver)
        assert output("set-current", "shop", "1.0") == "shop: 1.0 current (before: unversioned workers current)\n"
        assert output("set-current", "shop", "1.0") == "shop: nothing to do, 1.0 current\n"
        start(devserver, "order-1")
        wait_for_pinned(devserver, "1.0", 1)
        assert (
            output("ramp", "shop", "2.0", "12.5") == "shop: 1.0 current, 2.0 ramping at 12.5% (before: 1.0 current)\n"
        )
        shown = output("status", "shop", COLUMNS="40", PYTHONIOENCODING="ascii").splitlines()
        assert max(map(len, shown)) <= 40
        text = " ".join(" ".join(shown).split())
        assert "shop: 1.0 current, 2.0 ramping at 12.5% 2.0: ramping since TIME 1 worker; open workflows: none" in text
        assert "1.0: current since TIME 1 worker; open workflows: 1 pinned" in text
        assert output("rollback", "shop") == "shop: 1.0 current (before: 1.0 current, 2.0 ramping at 12.5%)\n"
        assert output("set-current", "shop", "2.0") == "shop: 2.0 current (before: 1.0 current)\n"
        done = json.loads(output("rollback", "shop", "--json"))
        assert (done["before"]["current"], done["after"]["current"], done["changed"]) == ("2.0", "1.0", True)
        assert output("set-current", "shop", "--unversioned").startswith(
            "shop: unversioned workers current (before: 1.0"
        )


def test_wait_until_a_build_is_drained(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """At the timeout the command exits with 1 and names the open workflows; once they are closed, it exits with 0.
    Commands that wait or watch report that the server is unreachable, and continue once it is back."""
    quick_up()
    with worker_process(status_of()["address"], "1.0", "2.0"):
        devserver("deployment", "set-current", "shop", "1.0")
        start(devserver, "order-1")
        wait_for_pinned(devserver, "1.0", 1)
        devserver("deployment", "set-current", "shop", "2.0")
        late = devserver("deployment", "wait-drained", "shop", "1.0", "--timeout", "1s")
        assert (late.returncode, late.stderr) == (1, "")
        assert TIME.sub("TIME", late.stdout).splitlines() == [
            "TIME 1.0 of shop is draining: 1 open workflow pinned to it",
            "not drained within 1 s; open and pinned to 1.0:",
            "  order-1 (Stays), started TIME",
        ]
        late = devserver("deployment", "wait-drained", "shop", "1.0", "--timeout", "1s", "--json")
        found: dict[str, Any] = json.loads(late.stdout)
        assert (late.returncode, found["drained"], found["open"][0]["workflow_id"]) == (1, False, "order-1")
        with background("wait-drained", "shop", "1.0") as waiting:
            assert lines_of(waiting, 1) == ["TIME 1.0 of shop is draining: 1 open workflow pinned to it"]
            devserver("temporal", "--", "workflow", "signal", "--workflow-id", "order-1", "--name", "end")
            assert waiting.stdout is not None
            assert waiting.stdout.read().endswith("1.0 of shop is drained\n")
            assert waiting.wait() == 0
        start(devserver, "order-2")
        wait_for_pinned(devserver, "2.0", 1)
        devserver("deployment", "set-current", "shop", "1.0")
        with (
            background("wait-drained", "shop", "2.0") as waiting,
            background("status", "--watch", "0.2") as watching,
        ):
            assert lines_of(waiting, 1) == ["TIME 2.0 of shop is draining: 1 open workflow pinned to it"]
            assert lines_of(watching, 2) == ["TIME", "shop: 1.0 current"]
            devserver("down")
            for process in (waiting, watching):
                assert process.stdout is not None
                assert any("! the " in line for line in process.stdout)
                assert process.poll() is None


def test_old_builds_are_collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest builds without workers and workflows are listed, with the number of the rest; --all lists all."""
    monkeypatch.setenv("COLUMNS", "80")
    versions = (
        DeploymentVersion("9", "current"),
        *(DeploymentVersion(str(number), "drained") for number in range(8, -1, -1)),
    )
    loads = {version.build: VersionLoad() for version in versions} | {
        "2": VersionLoad(workers=("me",)),
        "0": VersionLoad(pinned=1),
    }
    status = DeploymentStatus(Deployment("shop", Routing("9"), versions), loads)
    target = Target("127.0.0.1:7233", "default")
    folded = [*deployment.screen([status], target)]
    heads = [line.strip().split(":")[0] for line in folded if ": " in line and "open workflows:" not in line]
    assert heads == ["shop", "9", "8", "7", "6", "2", "0"]
    assert "  4 more builds without workers and open workflows (show with --all)" in folded
    assert len([*deployment.screen([status], target, everything=True)]) == 23
    fresh = DeploymentStatus(
        Deployment("my shop", Routing(None), (DeploymentVersion("1", "inactive"),)), {"1": VersionLoad()}
    )
    (hint,) = [line for line in deployment.screen([fresh], target, ["--name", "x"]) if "set-current" in line]
    assert hint.endswith("devserver deployment set-current 'my shop' 1 --name x")


def test_the_json_forms_are_described_key_by_key() -> None:
    """docs/json.md documents exactly the keys of every form."""
    target, routing = Target("127.0.0.1:7233", "default"), Routing("1.0")
    status = DeploymentStatus(
        Deployment("shop", routing, (DeploymentVersion("1.0", "current"),)),
        {"1.0": VersionLoad((VersionTaskQueue("q", "workflow"),))},
    )
    info = WorkflowExecutionInfo()
    forms = (
        deployment.status_json([status], target, datetime.now(timezone.utc)),
        deployment.change_json(RolloutChange("shop", routing, routing), target),
        deployment.drain_json("shop", Drainage("1.0", "draining", 1), [info], target),
        CannotAsk("the server does not answer").to_json(),
    )
    text = (ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(r"(?ms)^## `deployment ... --json`$(.*?)(?=^## )", text)
    documented = set(re.findall(r"`([a-z_]+)`", section)) - {"ramp", "rollback", "inactive", "draining", "unknown"}
    assert documented == set().union(*map(keys_of, forms)) | {"created"}


def keys_of(value: Any) -> set[str]:
    """Return every key, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()
