"""`devserver schedule`: schedules from the first preview to deletion."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import fields

from devserver.cli.options.schedule import OVERLAP_POLICIES
from devserver.schedules import OVERLAP_POLICIES as KNOWN
from devserver.schedules import ScheduleDescription, ScheduleRow
from tests.conftest import Run, command
from tests.helpers.terminal import Terminal
from tests.helpers.waiting import eventually

from .conftest import StatusOf

MOMENT = r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"
CREATE = ("--type", "Report", "--task-queue", "reports")

SKIP = [
    "skip: 2 of 4 run, 2 skipped",
    "    10:00             16:00",
    "  1 |=====]                 on time",
    "  2     -                   skipped",
    "  3        |=====]          on time",
    "  4            -            skipped",
]


def test_a_preview_of_times(quick_up: Run, devserver: Run) -> None:
    """The preview shows the next times and every policy's runs on a timeline that fits into 40 columns of ASCII, and
    leaves nothing on the server."""
    quick_up()
    words = ["--interval", "1h", "--count", "4", "--run-length", "90m", "--zone", "UTC", "--after", "2026-11-23T09:00"]
    done = devserver("schedule", "preview", *words, env={"COLUMNS": "40", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 40
    blocks = done.stdout.split("\n\n")
    assert blocks[0].splitlines()[:2] == ["next 4 times, in UTC:", "    1  Mon 2026-11-23 10:00:00 +0000"]
    assert blocks[2].splitlines() == SKIP
    assert [block.split(":")[0] for block in blocks[3:]] == [
        "buffer_one",
        "buffer_all",
        "cancel_other",
        "terminate_other",
        "allow_all",
    ]
    eventually(lambda: "no schedules in the namespace default" in devserver("schedule", "list").stdout)


def test_the_life_of_a_schedule(quick_up: Run, devserver: Run) -> None:
    """A schedule can be created, listed, described, previewed, triggered, backfilled, paused, unpaused and deleted."""
    quick_up()

    def run(*words: str, code: int = 0) -> str:
        done = devserver("schedule", *words)
        assert done.returncode == code, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    when = ("--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--start-time", "2026-01-01")
    inputs = ("--input", '"all"', "--input", f'"{"x" * 999}"')
    more = (*inputs, "--notes", "by night", "--memo", 'owner="ann"', "--overlap-policy", "BufferOne")
    made = run("create", "nightly", *CREATE, *when, *more)
    assert re.match(rf"created nightly: Report on reports next 3 times of nightly, in local time: 1 {MOMENT}", made)
    assert "the namespace default already has a schedule nightly" in run("create", "nightly", *CREATE, *when, code=1)
    eventually(lambda: "nightly (Report)" in run("list") or "SCHEDULE" in run("list"))
    assert "30 2 * * * (Europe/Berlin)" in run("list")
    description = run("describe", "nightly")
    for text in (
        'input "all", "xxx',
        "xx... (1,001 characters; --json shows all)",
        "overlap buffer_one",
        "note by night",
        'memo owner="ann"',
        "so far 0 runs",
    ):
        assert text in description
    assert "buffer_one (its own)" in run("preview", "nightly", "--run-length", "30h", "--overlap-policy", "buffer_one")
    assert re.fullmatch(r"started nightly-\S+", run("trigger", "nightly"))
    eventually(lambda: "so far 1 run open runs" in run("describe", "nightly"))
    assert run("trigger", "nightly") == "nightly starts a run when the open run closes"
    assert "nightly skipped the action: a run is open" in run("trigger", "nightly", "--overlap-policy", "skip", code=1)
    back = run("backfill", "nightly", "2026-11-01", "2026-11-04", "--zone", "UTC")
    assert back.startswith("nightly was due 3 times")
    assert "with buffer_one most actions start no run" in back
    assert "was not due" in run("backfill", "nightly", "2025-01-01", "2025-02-01", code=1)
    assert run("pause", "nightly", "--reason", "disk swap") == "paused nightly"
    assert "state paused note disk swap" in run("describe", "nightly")
    assert "note: the schedule is paused: nothing starts until you unpause it (disk swap)" in run("preview", "nightly")
    assert run("unpause", "nightly") == "unpaused nightly"
    assert run("delete", "nightly", "--yes") == "deleted nightly"
    assert "the namespace default has no schedule nightly" in run("describe", "nightly", code=4)


def test_the_json_forms(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Lists, descriptions and previews have exactly the documented keys; times are in UTC."""
    quick_up()
    made = devserver("schedule", "create", "daily", *CREATE, "--cron", "@daily", "--jitter", "5m")
    assert made.returncode == 0, made.stderr
    rows = eventually(lambda: json.loads(devserver("schedule", "list", "--json").stdout)["schedules"])
    assert [set(row) for row in rows] == [{field.name for field in fields(ScheduleRow)}]
    found = json.loads(devserver("schedule", "describe", "daily", "--json").stdout)
    names = {field.name for field in fields(ScheduleDescription)} - {"catchup_window"}
    assert set(found) == names | {"form", "address", "namespace", "catchup_window_seconds"}
    words = ["--count", "3", "--run-length", "36h", "--overlap-policy", "skip", "--zone", "Europe/Berlin", "--json"]
    preview = json.loads(devserver("schedule", "preview", "daily", *words).stdout)
    address = status_of()["address"]
    assert (preview["form"], preview["address"], preview["schedule_id"]) == (1, address, "daily")
    assert (preview["jitter_seconds"], preview["jitter_included"], preview["scheduler"]) == (300.0, True, "workflow")
    assert [len(preview["times"]), preview["run_seconds"], preview["cancel_seconds"]] == [3, 129600.0, 0.0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:0\d:\d\d\.\d+Z", preview["times"][0]["utc"])
    assert preview["times"][0]["local"][-6:] in ("+01:00", "+02:00")
    (outcome,) = preview["outcomes"]
    assert (outcome["policy"], outcome["ran"], outcome["open_at_once"]) == ("skip", [1, 3], 1)
    assert [start["result"] for start in outcome["starts"]] == ["completed", "skipped", "completed"]


BAD = (
    (
        ["create", "x", *CREATE, "--cron", "0 9 * *"],
        2,
        "invalid cron expression: it does not have 5-7 fields",
    ),
    (["create", "x", *CREATE, "--cron", "@daily", "--timezone", "Berlin"], 2, "did you mean Europe/Berlin?"),
    (["create", "x", *CREATE, "--input", "all"], 2, "--input 'all' is not JSON"),
    (["create", "x", *CREATE, "--remaining-actions", "9" * 20], 2, "is not in the range 1<=x<="),
    (["create", "x", *CREATE, "--overlap-policy", "never"], 2, "'never' is none of Skip, BufferOne"),
    (["preview", "x", "--cron", "@daily"], 2, "preview takes a schedule's id or times, not both"),
    (["trigger", "x"], 4, "the namespace default has no schedule x"),
    (["trigger", "NamespaceSync"], 4, "the namespace default has no schedule NamespaceSync"),
    (["backfill", "x", "2026-01-02", "2026-01-01"], 2, "the backfill ends (2026-01-01"),
    (["list", "--namespace", "nowhere"], 4, "there is no namespace nowhere"),
    (["list", "--address", "127.0.0.1:1"], 4, "cannot connect to 127.0.0.1:1: "),
)


def test_bad_input(quick_up: Run, devserver: Run) -> None:
    """Each error is one sentence with the exit code of its kind."""
    quick_up()
    for words, code, message in BAD:
        done = devserver("schedule", *words)
        assert (done.returncode, done.stdout) == (code, ""), words
        assert message in " ".join(done.stderr.split()), words


def test_delete_asks_for_confirmation(quick_up: Run, devserver: Run) -> None:
    """On a terminal "no" keeps the schedule and "yes" deletes it; without a terminal --yes is required."""
    quick_up()
    assert devserver("schedule", "create", "daily", *CREATE, "--cron", "@daily").returncode == 0
    words = command("schedule", "delete", "daily")
    nobody = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (nobody.returncode, "hint: add --yes" in nobody.stderr) == (2, True)
    for answer, message, code in (("n\n", "nothing was changed", 1), ("y\n", "deleted daily", 0)):
        with Terminal(command("schedule", "delete", "daily")) as terminal:
            terminal.until("Delete the schedule daily? [y/N]:")
            terminal.send(answer)
            terminal.until(message)
            assert terminal.code() == code


def test_policies_match_the_sdk() -> None:
    """The command has a copy of the policies, so that --help need not import the SDK."""
    assert OVERLAP_POLICIES == KNOWN
