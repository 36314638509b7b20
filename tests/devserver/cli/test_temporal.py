"""`devserver temporal`: the Temporal CLI, pointed at an instance."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Run


def test_it_reaches_the_instance_and_its_namespace(quick_up: Run, devserver: Run) -> None:
    """The CLI gets address and namespace of the instance, whatever the user's own settings for other servers are."""
    quick_up("--name", "a", "-n", "orders")
    env = {"TEMPORAL_ADDRESS": "nowhere.example:1", "TEMPORAL_NAMESPACE": "nix", "TEMPORAL_API_KEY": "x"}
    start = ("workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", "w-1", "-o", "json")
    done = devserver("temporal", "--name", "a", "--", *start, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["namespace"] == "orders"
    listed = devserver("temporal", "--name", "a", "workflow", "list", "-o", "json", env=env)
    assert listed.returncode == 0


def test_arguments_are_passed_unchanged(quick_up: Run, devserver: Run) -> None:
    """Spaces, quotes, wildcards and the CLI's own options arrive unchanged."""
    quick_up()
    odd = 'it\'s * $HOME "x"'
    start = ("workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", odd, "-o", "json")
    assert json.loads(devserver("temporal", *start).stdout)["workflowId"] == odd
    version = devserver("temporal", "--", "--version")
    assert version.stdout == "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)\n"


def test_exit_code_and_messages_are_passed_through(quick_up: Run, devserver: Run) -> None:
    """A failing command fails with the CLI's own message."""
    quick_up()
    done = devserver("temporal", "workflow", "describe", "--workflow-id", "nix")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "nix" in done.stderr


def test_stdin_is_passed_through(quick_up: Run, devserver: Run) -> None:
    """An answer typed at the CLI's question reaches it."""
    quick_up()
    delete = ("operator", "namespace", "delete", "-n", "default")
    refused = devserver("temporal", *delete, answer="n\n")
    assert refused.returncode != 0
    assert devserver("temporal", "operator", "namespace", "describe", "-n", "default").returncode == 0


def test_a_stopped_instance(quick_up: Run, devserver: Run) -> None:
    """A stopped instance is reported before the CLI tries to connect."""
    quick_up()
    devserver("down")
    done = devserver("temporal", "workflow", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("error: the instance default is not running (stopped)\nhint: start it with: devserver up\n")


def test_missing_executable(quick_up: Run, devserver: Run, home: Path) -> None:
    """A binary that was removed while its server runs is reported."""
    quick_up()
    (path,) = (home / "devserver" / "cache" / "bin").glob("*/temporal")
    path.unlink()
    done = devserver("temporal", "workflow", "list")
    assert (done.returncode, done.stderr) == (
        1,
        f"error: the executable {path} does not exist anymore\nhint: run: devserver install\n",
    )
