"""`devserver search`: output for people and scripts, on managed and external servers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

import psutil
import pytest
from temporalio.client import Client

from devserver.cli.options.search import duration, moment, size
from devserver.cli.render.search import hit_lines
from devserver.errors import OptionError
from devserver.search import Hit
from devserver.system.paths import Paths
from tests.conftest import Run, command
from tests.helpers.checkout import ROOT
from tests.helpers.searched import QUEUE, Many, Pays, worker
from tests.helpers.terminal import Terminal

from ..conftest import StatusOf

LIMIT = 180.0
DECLINED = "card_declined ü-→ 402"
Orders = Callable[..., None]


@pytest.fixture
def orders(status_of: StatusOf) -> Orders:
    """Run workflows to their end: order-0 and on, whose charge fails, and `count` more for each other failure."""

    async def make(count: int, charges: int) -> None:
        client = await Client.connect(status_of()["address"])
        async with worker(client):
            for number in range(count):
                name = f"order-{number}"
                if charges:
                    handle: Any = await client.start_workflow(
                        Many.run, args=[DECLINED, charges], id=name, task_queue=QUEUE
                    )
                else:
                    handle = await client.start_workflow(Pays.run, args=[DECLINED], id=name, task_queue=QUEUE)
                await asyncio.gather(handle.result(), return_exceptions=True)
        while (await client.count_workflows("CloseTime IS NOT NULL")).count < count:
            await asyncio.sleep(0.02)

    def run(count: int = 1, charges: int = 0) -> None:
        asyncio.run(asyncio.wait_for(make(count, charges), LIMIT))

    return run


HIT = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<id>\S+) (?P<run>[0-9a-f-]{36}) "
    r"activity charge failed, attempt 3, after \d+ ms: ValueError: the bank is closed"
)


def test_search_prints_failures(quick_up: Run, devserver: Run, orders: Orders) -> None:
    """One line per hit and what to do next; a second search uses the index; exit code 1 without hits."""
    quick_up()
    orders(2)
    done = devserver("search", "card_declined", "--attempts", ">=3")
    lines = done.stdout.splitlines()
    found = [HIT.fullmatch(line) for line in lines]
    assert [match and match["id"] for match in found] == ["order-1", "order-0"], done.stdout
    assert (done.returncode, found[1] is not None) == (0, True)
    last = found[1]["run"] if found[1] else ""
    notes = done.stderr.splitlines()
    assert re.fullmatch(r"2 hits; 2 runs, all read from the server \(\d+ events\)", notes[0])
    assert notes[1] == f"see the whole workflow: devserver trace order-0 --run-id {last}"
    again = devserver("search", "card_declined", "--attempts", ">=3")
    assert (again.stdout, again.stderr.splitlines()[0]) == (done.stdout, "2 hits; 2 runs, all from the local index")
    few = devserver("search", "card_declined", "--limit", "1")
    assert few.stderr.splitlines()[0].startswith("the first 1 hit; --limit shows more")
    none = devserver("search", "--activity", "refund")
    assert (none.returncode, none.stdout, none.stderr) == (1, "", "0 hits; 2 runs, all from the local index\n")
    typo = devserver("search", "--activity", "chrage")
    assert (typo.returncode, typo.stderr.splitlines()[1]) == (1, "did you mean charge?")
    listed = devserver("search", "--status", "completed", "--type", "Pays")
    assert re.search(r"order-1 \S+ workflow Pays completed, after \d+ ms$", listed.stdout.splitlines()[0])


def test_the_json_form_is_stable(quick_up: Run, devserver: Run, orders: Orders) -> None:
    """Every hit is one line with exactly the documented keys."""
    quick_up()
    orders()
    done = devserver("search", "--json", "--failure", "402", "--event", "activity_task_failed")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert list(found) == ["form", *(field.name for field in fields(Hit))]
    assert {key: found[key] for key in ("form", "workflow_id", "kind", "name", "state", "attempt", "event")} == {
        "form": 1,
        "workflow_id": "order-0",
        "kind": "activity",
        "name": "charge",
        "state": "failed",
        "attempt": 3,
        "event": "ActivityTaskFailed",
    }
    assert found["failure"][0] == f"CardError: {DECLINED}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", found["at"])
    assert (done.returncode, done.stderr) == (0, "")
    text = (ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(r"(?ms)^## `search --json`$(.*?)(?=^## )", text)
    rows = re.findall(r"(?m)^\| (`.*?`) \|", section)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(found), "each key is described"


def test_rebuild_and_no_index(quick_up: Run, devserver: Run, orders: Orders, paths: Paths) -> None:
    """--rebuild recreates the index, also without a search; --no-index skips it. On a full disk the search works
    without an index."""
    quick_up()
    orders(3)
    left_out = devserver("search", "402", "--no-index")
    assert (left_out.returncode, paths.histories.exists()) == (0, False)
    alone = devserver("search", "--rebuild")
    assert (alone.returncode, alone.stdout) == (0, "")
    assert re.fullmatch(r"0 hits; 3 runs, all read from the server \(\d+ events\)\n", alone.stderr)
    assert "all from the local index" in devserver("search", "402").stderr
    rebuilt = devserver("search", "402", "--rebuild")
    assert "3 runs, all read from the server" in rebuilt.stderr
    for file in paths.histories.iterdir():
        file.unlink()
    full = subprocess.run(
        command("search", "402"),
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        preexec_fn=_full_disk,
    )
    assert (full.returncode, full.stdout) == (0, rebuilt.stdout)
    assert "note: the index cannot be used, so every history is read: " in full.stderr
    assert "all from the local index" not in full.stderr


def _full_disk() -> None:
    """Limit the size of files to a few blocks."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def rest_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Read the output until the end; `communicate` would drop what was read ahead with a line."""
    assert process.stdout is not None
    assert process.stderr is not None
    rest, errors = process.stdout.read(), process.stderr.read()
    process.wait(LIMIT)
    return rest, errors


def test_hits_are_printed_as_they_are_found(
    quick_up: Run, devserver: Run, orders: Orders, status_of: StatusOf, paths: Paths
) -> None:
    """Ctrl-C exits with 130, a killed server with 4; hits found before are printed, and the next search is complete."""
    quick_up()
    orders(12, charges=20)
    arguments = ("search", "--json", "--activity", "charge", "--failure", "402", "--limit", "1000")
    piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "pipesize": 4096}
    with subprocess.Popen(command(*arguments), **piped) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # the rest does not fit into the pipe, so the command blocks
        process.send_signal(signal.SIGINT)
        rest, errors = rest_of(process)
    assert json.loads(first)["workflow_id"] == "order-11"
    assert (process.returncode, errors.strip(), len(rest.splitlines()) < 239) == (130, "interrupted", True)
    whole = devserver(*arguments)
    assert (whole.returncode, len(whole.stdout.splitlines())) == (0, 240)
    for file in paths.histories.iterdir():
        file.unlink()
    with subprocess.Popen(command(*arguments), **piped) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == first
        psutil.Process(status_of()["pid"]).kill()
        rest, errors = rest_of(process)
    assert process.returncode == 4
    assert errors.startswith(("error: cannot connect to ", "error: the Temporal server at "))  # as the kill hits it
    assert all(json.loads(line)["name"] == "charge" for line in rest.splitlines())


def test_on_a_terminal(quick_up: Run, orders: Orders) -> None:
    """The first search shows its progress and clears it, and wraps lines without breaking ids."""
    quick_up()
    orders(2)
    with Terminal(command("search", "402"), columns=60) as terminal:
        terminal.until("see the whole workflow")
        assert terminal.code() == 0
    assert re.search(r"reading histories: 0( of 2)? runs, \d+ events", terminal.seen)
    _, erased, rest = terminal.seen.rpartition("\x1b[2K")
    lines = rest.splitlines()
    assert erased
    assert all(len(re.sub(r"\x1b\[\d*m", "", line)) <= 60 for line in lines), lines
    assert "reading" not in "".join(lines)


def test_narrow_and_old_terminals(quick_up: Run, devserver: Run, orders: Orders) -> None:
    """The output fits into 40 columns, and characters that cannot be shown are replaced."""
    quick_up()
    orders()
    for encoding in ("ascii", "latin-1", "utf-8"):
        environ = {**os.environ, "COLUMNS": "40", "PYTHONIOENCODING": encoding}
        old = subprocess.run(
            command("search", "ü-→", "--status", "completed"),
            env=environ,
            capture_output=True,
            timeout=180,
            check=False,
        )
        text = old.stdout.decode(encoding)
        assert (old.returncode, "activity charge failed" in " ".join(text.split())) == (0, True), old.stderr
        assert [line for line in text.splitlines() if len(line) > 40] == []


def test_external_server(quick_up: Run, devserver: Run, orders: Orders, status_of: StatusOf) -> None:
    """With an address and a namespace, the suggested command targets the same server, and the index is shared."""
    quick_up("-n", "default", "-n", "shop")
    orders()
    address = status_of()["address"]
    done = devserver("search", "402", "--address", address, "--namespace", "default")
    assert f"devserver trace --address {address} --namespace default order-0 --run-id " in done.stderr
    assert "all from the local index" in devserver("search", "402").stderr
    assert devserver("search", "402", "--namespace", "shop").returncode == 1
    nowhere = devserver("search", "402", "--namespace", "nix")
    assert (nowhere.returncode, nowhere.stdout) == (4, "")
    assert nowhere.stderr.startswith("error: there is no namespace nix at ")
    query = devserver("search", "402", "--query", "nonsense =")
    assert (query.returncode, query.stderr.splitlines()[0]) == (
        2,
        "error: the server does not understand the query: nonsense =",
    )


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        ([], 2, "error: no condition to search for"),
        (["text"], 4, "error: there is no instance default"),
        (["text", "--address", "127.0.0.1:1"], 4, "error: cannot connect to 127.0.0.1:1: "),
        (["--event", "ActivityTaskFaild"], 2, "error: there is no event type ActivityTaskFaild\nhint: did you mean"),
        (["--attempts", "many"], 2, "error: 'many' is no number of attempts"),
        (["--longer", "soon"], 2, "error: --longer 'soon' is not a duration"),
        (["--since", "soon"], 2, "error: --since 'soon' is not a time"),
        (["--since", "1h", "--until", "2h"], 2, "error: the time begins after it ends"),
        (["--status", "broken"], 2, "error: unknown status broken"),
        (["--failure", ""], 2, "error: an empty failure is found everywhere"),
        (["text", "--index-size", "tiny"], 2, "error: --index-size 'tiny' is not a size"),
        (["text", "--rebuild", "--no-index"], 2, "error: --rebuild rebuilds the index"),
        (["text", "--limit", "0"], 2, "Usage: "),
    ],
)
def test_invalid_input(devserver: Run, args: list[str], code: int, error: str) -> None:
    """Wrong usage exits with 2 and says what is right, an unreachable server with 4."""
    done = devserver("search", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(error)


def test_the_workflow_is_bold() -> None:
    """The workflow id is bold, even where the id also occurs in the time."""
    at = datetime(2026, 11, 22, tzinfo=timezone.utc)
    hit = Hit(
        at, "2", "r", "T", "signal", "go", "", "WorkflowExecutionSignaled", 3, "event", None, None, "", "", "", ()
    )
    assert hit_lines(hit)[0].startswith("2026-11-22T00:00:00Z \x1b[1m2\x1b[0m r ")


def test_formats_of_time_and_size() -> None:
    """Durations, times and sizes are shown as people write them."""
    assert [duration(text, "--longer") for text in ("5", "0.5s", "200ms", "1h30m", None)] == [5, 0.5, 0.2, 5400, None]
    assert [size(text, "--index-size") for text in ("1GB", "200 MB", "1.5g", "5000k")] == [
        10**9,
        200 * 10**6,
        1500 * 10**6,
        5 * 10**6,
    ]
    with pytest.raises(OptionError) as refused:
        moment("yesterday", "--since")
    assert refused.value.hint is not None
    assert "2h, which is two hours ago" in refused.value.hint
    found = moment("2026-11-22T15:00:00Z", "--since")
    assert found is not None
    assert found.isoformat() == "2026-11-22T15:00:00+00:00"
    with pytest.raises(OptionError, match="is too long"):
        moment("999999999d", "--since")
