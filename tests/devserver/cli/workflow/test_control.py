"""Workflows whose code is not at hand: start, signal, query, update, result, cancel, terminate, reset."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from temporalio.client import Client

from tests.conftest import Run
from tests.devserver.database.servers import WAL, running
from tests.helpers.replayed import QUEUE, worker_for, write_module
from tests.helpers.waiting import eventually

LIMIT = 180.0


@contextmanager
def served(address: str, module: Path) -> Iterator[None]:
    """Run a worker in a thread."""
    ready, ends = Event(), Event()

    async def serve() -> None:
        async with worker_for(await Client.connect(address), module):
            ready.set()
            while not ends.is_set():
                await asyncio.sleep(0.02)

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(LIMIT)
        yield
    finally:
        ends.set()
        thread.join(LIMIT)


@pytest.fixture(scope="module")
def address(quick_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a worker for orders."""
    folder = tmp_path_factory.mktemp("control")
    with (
        running(quick_executable, folder / "temporal.db", *WAL) as server,
        served(server.address, write_module(folder)),
    ):
        yield server.address


@pytest.fixture
def call(devserver: Run, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `devserver workflow` on that server, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, **how: devserver("workflow", words[0], "--address", address, *words[1:], **how)


def order(call: Run, workflow_id: str, kind: str = "open") -> None:
    """Start an order by its bare type."""
    words = ("start", "Order", "--task-queue", QUEUE, "-w", workflow_id, "--input", json.dumps(kind))
    assert call(*words).returncode == 0


def test_calls_by_bare_names(call: Run) -> None:
    """A type and a task queue start a workflow, a bare name signals it; an unknown signal is refused, not lost."""
    order(call, "bare-1")
    typed = call("start", "--type", "Order", "-t", QUEUE, "-w", "bare-2", "--input", '"plain"', "--wait")
    assert (typed.returncode, typed.stdout) == (0, '"plain"\n')
    wrong = call("signal", "finish", "bare-1")
    assert wrong.returncode == 1
    assert "bare-1 takes no signal finish" in wrong.stderr
    assert "it has end" in wrong.stderr
    sent = call("signal", "end", "bare-1")
    assert sent.stdout == "sent end to bare-1\n", sent.stderr
    ended = call("result", "bare-1")
    assert (ended.returncode, ended.stdout) == (0, '"open"\n')
    stack = call("query", "__temporal_workflow_metadata", "bare-1")
    assert json.loads(stack.stdout)["definition"]["type"] == "Order"
    without = call("start", "Order", "-w", "bare-3")
    assert without.returncode == 2
    assert "there is no module Order" in without.stderr


def test_the_end_of_a_workflow(call: Run) -> None:
    """A canceled and a terminated workflow have no result: exit code 1, and the reason; a closed one is refused."""
    order(call, "ends-1")
    order(call, "ends-2")
    assert call("cancel", "ends-1").stdout == "requested the cancellation of ends-1\n"
    canceled = call("result", "ends-1", "--json")
    assert canceled.returncode == 1
    assert "Cancel" in json.loads(canceled.stdout)["failure"][0]
    assert call("terminate", "ends-2", "--reason", "wrong address").stdout == "terminated ends-2\n"
    terminated = call("result", "ends-2")
    assert terminated.returncode == 1
    assert "ends-2 did not complete" in terminated.stderr
    again = call("terminate", "ends-2")
    assert (again.returncode, "ends-2 is closed (terminated)" in again.stderr) == (1, True)
    assert call("cancel", "nobody").returncode == 4


def test_a_reset_from_a_step(call: Run) -> None:
    """The steps that would be done again are shown before the question; the new run has the history before them."""
    order(call, "again-1", "urgent")
    assert call("result", "again-1").stdout == '"urgent"\n'
    asked = call("reset", "again-1", "--before", "ship", answer="n\n")
    assert asked.returncode == 1
    assert "the run" in asked.stdout
    assert "is completed and stays as it is" in asked.stdout
    assert "done again, if the code decides as before:\n  event 11: ship" in asked.stdout
    assert "charge" not in asked.stdout
    done = call("reset", "again-1", "--before", "ship", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [step["name"] for step in document["again"]] == ["ship"]
    assert call("result", "again-1").stdout == '"urgent"\n'
    eventually(lambda: "reset" in call("trace", "again-1").stdout)
    both = call("reset", "again-1", "--to", "4")
    assert (both.returncode, "event 5: charge" in both.stdout) == (2, True)
    assert "cannot ask for confirmation" in both.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--before", "paint"], "the run has no step paint"),
        (["--to", "2"], "no workflow task ends before event 2"),
        ([], "name one point: --before STEP or --to EVENT"),
    ],
)
def test_a_point_that_is_none(call: Run, words: list[str], text: str) -> None:
    """A step or event that does not exist changes nothing."""
    order(call, "point-1", "plain")
    call("result", "point-1")
    done = call("reset", "point-1", *words)
    assert done.returncode == 2
    assert text in done.stderr
