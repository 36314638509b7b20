"""`devserver replay`: histories of a server and of files against today's code."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from temporalio.client import Client

from tests.conftest import Run, command, processes_of
from tests.devserver.database.servers import WAL, running
from tests.helpers.replayed import run_workflows, save_histories, worker_for, write_module
from tests.helpers.waiting import eventually

ONE = ("--processes", "1")
# `urgent` orders are rare: one of eight.
COUNTS = {"plain": 7, "urgent": 1, "open": 1}
LIMIT = 180.0


@dataclass(frozen=True)
class Shop:
    """A server with workflows, and their histories as files."""

    address: str
    histories: Path


@pytest.fixture(scope="module")
def shop(quick_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Nine orders, one of them open, and a refund."""
    folder = tmp_path_factory.mktemp("histories")
    with running(quick_executable, folder / "temporal.db", *WAL) as server:
        module = write_module(tmp_path_factory.mktemp("code"))

        async def prepare() -> None:
            ids = await run_workflows(server.address, module, COUNTS)
            await save_histories(server.address, ids, folder)

        asyncio.run(asyncio.wait_for(prepare(), LIMIT))
        yield Shop(server.address, folder)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the code."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_histories_of_a_server(devserver: Run, shop: Shop, code: Path) -> None:
    """Unchanged code replays; of changed code the report has the line, the event and how many fail the same way."""
    write_module(code)
    server = ("--address", shop.address)
    same = devserver("replay", "shop.py", *server, "--record", "kept", "--scrub")
    assert same.returncode == 0, same.stderr
    assert same.stdout.splitlines() == [
        "replayed 10 histories against shop.py: all replay",
        "  open: all 1",
        "  closed: all 9",
    ]
    kept = sorted(path.name.rpartition("-")[0] for path in Path("kept").rglob("*.json"))
    assert kept[:2] == ["order-open-0", "order-plain-0"]
    assert len(kept) == 10
    write_module(
        code, "changed", ('execute_activity("ship"', 'execute_activity("send"'), ("class Refund", "class Gone")
    )
    files = ("--junit", "out/junit.xml", "--summary", "out/summary.md", "--html", "page.html")
    again = devserver("replay", "changed.py", "kept", *ONE, *files)
    assert again.returncode == 1
    page = Path("page.html").read_text()
    for text in (
        "✗ 8 replay, 2 do not",
        "histories of kept",
        "Refund: 1 history without code",
        "--debug order-urgent-0",
    ):
        assert text in page
    nowhere = devserver("replay", "changed.py", "kept", *ONE, "--html", "nowhere/page.html")
    assert (nowhere.returncode, "cannot write the page to nowhere/page.html" in nowhere.stderr) == (1, True)
    for text in (
        "replayed 10 histories against changed.py: 8 replay, 2 do not",
        "Order: 1 history does not replay",
        "activity command 'send' (non-deterministic, TMPRL1100)",
        "nearest event: 11, activity task scheduled (ship)",
        'in run: await workflow.execute_activity("send", kind, start_to_close_timeout=LIMIT)',
        "debug it: devserver replay changed.py kept --debug order-urgent-0",
        "Refund: 1 history without code",
        "no workflow of the type Refund in the module",
    ):
        assert text in again.stdout
    cases = Xml.parse("out/junit.xml").getroot().iter("testcase")
    assert sum(case.find("failure") is not None for case in cases) == 2
    summary = Path("out/summary.md").read_text()
    assert "### Replay of changed.py\\: 8 replay, 2 do not" in summary
    assert "| Refund | 1 history without code |" in summary


def test_a_sample_has_rare_paths(devserver: Run, shop: Shop, code: Path) -> None:
    """Of nine closed workflows three are replayed, one of each shape; JSON has the failures with their histories."""
    write_module(code, "shop", ("await workflow.execute_activity", "await workflow.execute_local_activity"))
    done = devserver("replay", "shop.py", "--address", shop.address, "--closed", "3", "--json", *ONE)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["sampled"] == ["closed: 3 of 9, a sample of 3 shapes"]
    assert report["counts"]["diverges"] == 3
    found = {history["workflow_id"] for group in report["failures"] for history in group["histories"]}
    assert {"order-urgent-0", "refund-0"} < found
    none = devserver("replay", "shop.py:Refund", "--address", shop.address, "--open")
    assert none.returncode == 4
    assert "the server has no such workflow" in none.stderr


def test_a_debugger_stops_in_the_workflow(devserver: Run, shop: Shop, code: Path) -> None:
    """The debugger begins at the first line of the workflow, with the values of its history, and steps in its code."""
    write_module(code)
    steps = "p kind\nnext\nnext\np charged\ncontinue\n"
    words = ("replay", "shop.py", str(shop.histories), "--debug", "order-urgent-0")
    done = devserver(*words, answer=steps)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(Pdb) 'urgent'") == 2
    assert '-> if kind == "urgent":' in done.stdout
    assert done.stdout.endswith("order-urgent-0 replays\n")
    assert devserver(*words, answer="quit\n").returncode == 1


def test_where_an_open_workflow_waits(devserver: Run, shop: Shop, code: Path) -> None:
    """`trace --waits` shows the line that a replay finds, and the messages that the worker says it takes."""
    module = write_module(code)
    words = ("trace", "order-open-0", "--address", shop.address, "--waits")

    async def with_worker() -> str:
        async with worker_for(await Client.connect(shop.address), module):
            done = await asyncio.to_thread(devserver, *words, "--module", "shop.py")
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = asyncio.run(asyncio.wait_for(with_worker(), LIMIT))
    assert "waits at\n    shop.py:22 in run: await workflow.wait_condition(lambda: self.ended)\n" in shown
    assert "takes\n    signal end: Let the order end.\n" in shown
    assert devserver("trace", "refund-0", "--address", shop.address, "--waits").returncode == 2


def test_a_process_that_ends_is_replaced(devserver: Run, shop: Shop, code: Path) -> None:
    """Code that ends the process fails the history that it was given; the others are replayed."""
    write_module(
        code,
        "shop",
        ("from datetime", "import os\nfrom datetime"),
        (
            'if kind == "urgent":',
            'if kind == "urgent":\n            with workflow.unsafe.sandbox_unrestricted(): os._exit(9)',
        ),
    )
    done = devserver("replay", "shop.py", str(shop.histories), *ONE)
    assert done.returncode == 1
    assert "9 replay, 1 does not" in done.stdout
    assert "the process exited with 9 during the replay" in done.stdout
    assert "order-urgent-0.json" in done.stdout


def test_a_killed_replay_leaves_no_process(shop: Shop, code: Path, home: Path) -> None:
    """The processes that replay end with the command, also while they import the module."""
    (code / "slow.py").write_text("import time\nfrom pathlib import Path\nPath('begun').touch()\ntime.sleep(600)\n")
    with subprocess.Popen(command("replay", "slow.py", str(shop.histories))) as process:
        try:
            eventually(Path("begun").exists)
        finally:
            process.kill()
    eventually(lambda: not processes_of(home))


@pytest.mark.parametrize(
    ("words", "code_", "text"),
    [
        (["shop.py", "missing.json"], 2, "there is no file missing.json"),
        (["shop.py", "empty"], 4, "empty has no history"),
        (["shop.py", "shop.py", "--query", "x"], 2, "--query chooses workflows of a server"),
        (["shop.py", "--scrub"], 2, "--scrub has no effect without --record"),
        (["nothing.py", "shop.py"], 4, "nothing.py has no workflow"),
        (["missing", "shop.py"], 2, "there is no module missing"),
    ],
)
def test_what_cannot_be_replayed(devserver: Run, code: Path, words: list[str], code_: int, text: str) -> None:
    """Wrong usage is one sentence, before anything is replayed."""
    write_module(code)
    (code / "nothing.py").write_text("")
    (code / "empty").mkdir()
    done = devserver("replay", *words, *ONE)
    assert done.returncode == code_, done.stderr
    assert text in done.stderr
