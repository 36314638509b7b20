"""`devserver temporal`: the Temporal CLI, pointed at an instance."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Run


def test_it_reaches_the_instance_and_its_namespace(quick_up: Run, devserver: Run) -> None:
    """Neither address nor namespace need be given, and the user's own settings for other servers do not matter."""
    quick_up("--name", "a", "-n", "orders")
    env = {"TEMPORAL_ADDRESS": "nowhere.example:1", "TEMPORAL_NAMESPACE": "nix", "TEMPORAL_API_KEY": "x"}
    start = ("workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", "w-1", "-o", "json")
    done = devserver("temporal", "--name", "a", "--", *start, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["namespace"] == "orders"
    listed = devserver("temporal", "--name", "a", "workflow", "list", "-o", "json", env=env)
    assert listed.returncode == 0


def test_arguments_are_passed_as_they_are(quick_up: Run, devserver: Run) -> None:
    """Spaces, quotes, stars and options of its own arrive; nothing is read by a shell or by us."""
    quick_up()
    odd = 'it\'s * $HOME "x"'
    start = ("workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", odd, "-o", "json")
    assert json.loads(devserver("temporal", *start).stdout)["workflowId"] == odd
    version = devserver("temporal", "--", "--version")
    assert version.stdout == "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)\n"


def test_its_exit_code_and_messages_are_ours(quick_up: Run, devserver: Run) -> None:
    """A failing command fails here too, with its own words."""
    quick_up()
    done = devserver("temporal", "workflow", "describe", "--workflow-id", "nix")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "nix" in done.stderr


def test_its_input_is_ours(quick_up: Run, devserver: Run) -> None:
    """It asks, and what is typed reaches it."""
    quick_up()
    delete = ("operator", "namespace", "delete", "-n", "default")
    refused = devserver("temporal", *delete, answer="n\n")
    assert refused.returncode != 0
    assert devserver("temporal", "operator", "namespace", "describe", "-n", "default").returncode == 0


def test_a_stopped_instance(quick_up: Run, devserver: Run) -> None:
    """There is nothing to talk to: said before the CLI tries for long."""
    quick_up()
    devserver("down")
    done = devserver("temporal", "workflow", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("error: the instance default is not running (stopped)\nhint: start it with: devserver up\n")


def test_an_executable_that_is_gone(quick_up: Run, devserver: Run, home: Path) -> None:
    """A store that was emptied under a running server is told."""
    quick_up()
    (path,) = (home / "devserver" / "cache" / "bin").glob("*/temporal")
    path.unlink()
    done = devserver("temporal", "workflow", "list")
    assert (done.returncode, done.stderr) == (
        1,
        f"error: cannot run {path}: No such file or directory\nhint: run: devserver install\n",
    )
