"""What `devserver up` shows in the foreground after its banner."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from devserver.instances.workflow_changes import PAGE
from tests.conftest import Run

from .conftest import Foreground, StatusOf

EVIL = "evil\x1b[31m\nline"


def lines_until(process: subprocess.Popen[str], wanted: Callable[[list[str]], bool]) -> list[str]:
    """The lines that a process prints, until they are what is wanted (or the test's time is over)."""
    assert process.stdout is not None
    lines: list[str] = []
    while not wanted(lines):
        line = process.stdout.readline()
        assert line, lines
        lines.append(line.rstrip("\n"))
    return lines


def shown(lines: list[str]) -> int:
    """How many changes the lines are about."""
    more = [int(line.split()[2].replace(",", "")) for line in lines if line.startswith("... and ")]
    return sum(more) + sum(line[:2] == "20" for line in lines)


async def start(address: str, names: list[str], namespace: str = "default", **how: Any) -> None:
    """Start workflows that nobody works on."""
    client = await Client.connect(address, namespace=namespace)
    await asyncio.gather(*(client.start_workflow("Order", id=name, task_queue="q", **how) for name in names))


def test_workflows_that_start_and_close(foreground: Foreground, devserver: Run, status_of: StatusOf) -> None:
    """Each has a line, in every namespace; a burst is counted, with nothing missing; names cannot act on the terminal;
    `down` ends it all as before.
    """
    with foreground("--ephemeral", "-n", "shop", "-n", "billing") as process:
        address = status_of()["address"]
        asyncio.run(start(address, ["order-1", EVIL], "shop"))
        asyncio.run(start(address, ["bill-1"], "billing"))
        lines = lines_until(process, lambda lines: shown(lines) == 3)
        assert sum(line.endswith("started    Order order-1") for line in lines) == 1
        assert sum(line.endswith("started    Order evil?[31m?line") for line in lines) == 1
        assert sum(line.endswith("started    Order bill-1 in billing") for line in lines) == 1
        done = devserver("temporal", "--", "workflow", "terminate", "--workflow-id", "order-1")
        assert done.returncode == 0, done.stderr
        lines = lines_until(process, lambda lines: shown(lines) == 1)
        assert " terminated Order order-1 after " in lines[-1]
        burst = 2 * PAGE + 50
        asyncio.run(start(address, [f"bulk-{number}" for number in range(burst)], "shop"))
        lines = lines_until(process, lambda lines: shown(lines) >= burst)
        assert shown(lines) == burst
        assert len(lines) < PAGE
        assert devserver("down").returncode == 0
        rest, errors = process.communicate(timeout=180)
    assert (rest, errors.strip()) == ("", "interrupted")
    assert process.returncode == 130


def test_a_reader_who_leaves_does_not_end_the_server(
    foreground: Foreground, devserver: Run, status_of: StatusOf
) -> None:
    """As in `devserver up | head`: the server stays."""
    with foreground("--ephemeral") as process:
        lines_until(process, lambda lines: bool(lines) and "log  " in lines[-1])
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        for name in ("order-1", "order-2"):
            asyncio.run(start(status_of()["address"], [name]))
            assert devserver("wait").returncode == 0
        assert devserver("down").returncode == 0
        _, errors = process.communicate(timeout=180)
    assert (process.returncode, "rror" in errors) == (130, False)
