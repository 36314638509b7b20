"""`devserver rehearse`: plans, verdicts, reports, and what happens when it is interrupted or killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from devserver.executables import Executable
from devserver.rehearsal.archive import RehearsalArchive
from devserver.system.paths import Paths
from tests.conftest import Run, command, processes_of
from tests.helpers.marked_secrets import EVERYWHERE, MARK, files_with_the_mark
from tests.helpers.terminal import Terminal
from tests.helpers.waiting import eventually

RUNBOOK = """
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from devserver.rehearsal import ledger

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50))

@activity.defn
def add(node: str) -> None:
    ledger.effect("add", key=node)

@workflow.defn
class Grow:
    @workflow.run
    async def run(self, seconds: float) -> str:
        how = {"start_to_close_timeout": timedelta(seconds=0.5), "retry_policy": SOON}
        await workflow.execute_activity(add, "node-1", **how)
        await workflow.sleep(seconds)
        await workflow.execute_activity(add, "node-2", **how)
        return "grown"
"""
SECOND = """        await workflow.sleep(seconds)
        await workflow.execute_activity(add, "node-2", **how)
"""
HEAD = """
import asyncio
from devserver.rehearsal import Scenario, at, expect, faults

class Stubborn:
    async def begin(self, stage, cue):
        return self.rest()

    async def rest(self):
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(60)

    def __str__(self):
        return "something that does not like to be stopped"

class Confused:
    def judge(self, run):
        return 1 / 0

"""
STUBBORN = "plan=[at.activity_starts('add').do(Stubborn())], expect=[expect.completes()]"
LOST = "plan=[at.activity_completes('add').do(faults.lose_answer())], expect=[expect.exactly_once('add')]"
NEVER = "plan=[at.activity_starts('add', nth=9).do(faults.kill_worker())], expect=[expect.completes()]"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, installed: Executable) -> Write:
    """Write a file of scenarios next to their runbook, from a name and the other arguments of each scenario."""
    folder = tmp_path / "rehearsals"
    folder.mkdir()
    (folder / "grow.py").write_text(RUNBOOK)

    def write(file: str = "scenes.py", seconds: float = 0.0, **scenes: str) -> Path:
        lines = [
            f"{name} = Scenario(name={name.replace('_', ' ')!r}, runbook='grow', workflow='Grow', "
            f"input={seconds}, {rest})\n"
            for name, rest in scenes.items()
        ]
        path = folder / file
        path.write_text(HEAD + "".join(lines))
        return path

    return write


def journals(paths: Paths) -> list[Path]:
    """Return the journals of rehearsals that are running or were killed."""
    return sorted(paths.rehearsals.glob("*.jsonl"))


def has_noted(paths: Paths, what: str) -> bool:
    """Return whether a rehearsal has noted this step."""
    return any(what in file.read_text() for file in journals(paths))


# Without a server


def test_help_is_quick_and_has_an_example_and_the_codes(devserver: Run) -> None:
    """The help describes every option."""
    shown = devserver("rehearse", "--help").stdout
    for word in ("--dry-run", "--only", "--repeat", "--seed", "--sweep", "--report", "--junit", "--json", "--keep"):
        assert f"{word} " in shown
    assert "devserver rehearse scale_up.py --report out" in shown
    assert "4 none fails, but one is unknown" in " ".join(shown.split())


def test_dry_run_prints_the_plan_and_starts_nothing(devserver: Run, write: Write, paths: Paths) -> None:
    """The plan says what runs, when each fault happens, and what is expected."""
    done = devserver("rehearse", str(write(lost=LOST, never=NEVER)), "--dry-run")
    assert done.returncode == 0
    assert done.stdout == (
        "lost\n"
        "  runs      Grow of grow, at most 60 s, on the wall clock\n"
        "  when      1st time that add completes\n"
        "    do      the result is lost: the worker is killed (-9) after the side effect\n"
        "  expects   add exactly once\n"
        "\n"
        "never\n"
        "  runs      Grow of grow, at most 60 s, on the wall clock\n"
        "  when      9th time that add starts\n"
        "    do      the worker is killed (-9)\n"
        "  expects   completes\n"
    )
    assert not paths.instances.exists()
    assert not paths.rehearsals.exists()


def test_a_dry_run_can_be_read_by_a_script(devserver: Run, write: Write) -> None:
    """`--dry-run --json` prints the plan as JSON."""
    done = devserver("rehearse", str(write(lost=LOST)), "--dry-run", "--json")
    (plan,) = json.loads(done.stdout)["plans"]
    assert plan["plan"][0]["when"] == "1st time that add completes"
    assert plan["expect"] == ["add exactly once"]


@pytest.mark.parametrize(
    ("scene", "named"),
    [
        ("plan=[at.activity_starts('ad').do(faults.kill_worker())]", "an unknown activity: 'ad' is not in 'grow'"),
        ("plan=[1]", "which is not a step"),
        ("expect=[expect.completed()]", "AttributeError: module 'devserver.rehearsal.expect'"),
    ],
)
def test_an_invalid_scenario_is_reported_before_any_starts(
    devserver: Run, write: Write, scene: str, named: str
) -> None:
    """Exit code 2 with the error and its place; no scenario is started, not even a valid one."""
    done = devserver("rehearse", str(write(good=LOST, bad=scene)))
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stdout == ""


def test_packages_of_the_project_are_found(devserver: Run, write: Write, tmp_path: Path) -> None:
    """From the project's folder, a runbook in a package and a scenario in another folder are both found."""
    write()
    package = tmp_path / "ops" / "runbooks"
    package.mkdir(parents=True)
    (package / "grow.py").write_text(RUNBOOK)
    assert devserver("rehearse", "--init", "ops.runbooks.grow", "rehearsals/first.py").returncode == 0
    (tmp_path / "rehearsals" / "own.py").write_text(
        HEAD + "from ops.runbooks.grow import Grow\n"
        "own = Scenario('own', 'ops.runbooks.grow', Grow, input=0.0, expect=[expect.completes()])\n"
    )
    done = devserver("rehearse", "rehearsals/first.py", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "runs      Grow of ops.runbooks.grow" in done.stdout
    held = devserver("rehearse", "rehearsals/own.py")
    assert held.returncode == 0, held.stdout + held.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere", "hint: modules are searched in the folder of the scenario's file"),
        ("import sys; sys.exit(3)", "it calls sys.exit(3)"),
    ],
)
def test_a_file_that_does_not_load_is_an_error(devserver: Run, tmp_path: Path, text: str, message: str) -> None:
    """Exit code 2, with an error message."""
    (tmp_path / "bad.py").write_text(text)
    done = devserver("rehearse", "bad.py")
    assert done.returncode == 2
    assert message in done.stderr


def test_an_unknown_scenario_name_is_an_error_that_lists_the_known_ones(devserver: Run, write: Write) -> None:
    """A mistyped name runs nothing, and the message shows the right name."""
    done = devserver("rehearse", str(write(lost=LOST, never=NEVER)), "--only", "lots")
    assert done.returncode == 2
    assert "error: no scenario's name contains 'lots'" in done.stderr
    assert "hint: there are: lost, never" in done.stderr


def test_only_runs_matching_scenarios(devserver: Run, write: Write) -> None:
    """Part of a name selects scenarios; a complete name selects only that one."""
    path = str(write(lost=LOST, lost_again=LOST, never=NEVER))

    def planned(only: str) -> list[str]:
        found = devserver("rehearse", path, "--dry-run", "--json", "--only", only)
        return [plan["name"] for plan in json.loads(found.stdout)["plans"]]

    assert planned("los") == ["lost", "lost again"]
    assert planned("lost") == ["lost"]


# Verdicts


KEYS = {"TEMPORAL_API_KEY": MARK, "TEMPORAL_TLS_CLIENT_KEY_DATA": MARK}


def test_a_failure_names_the_step_both_moments_and_where_the_report_is(
    devserver: Run, write: Write, tmp_path: Path, paths: Paths
) -> None:
    """The last lines name what happened twice, when and why, and the page with the evidence. No file has a secret of
    the environment."""
    path = write(lost=LOST, fine="expect=[expect.completes(), expect.exactly_once('add')]")
    files = ("--report", "out", "--junit", "ci/junit.xml", "--summary", "ci/summary.md")
    done = devserver("rehearse", str(path), "--seed", "5", *files, env=EVERYWHERE | KEYS)
    assert done.returncode == 1, done.stderr
    assert "FAIL     lost  (seed 5, " in done.stdout
    assert "  repeated add node-1 happened twice: at " in done.stdout
    assert "in between: the result is lost: the worker is killed (-9)" in done.stdout
    assert "PASS     fine  (seed 5, " in done.stdout
    assert "1 passed, 1 failed, 0 unknown\n" in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}\n" in done.stdout
    shape = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [result["verdict"] for result in shape["results"]] == ["fail", "pass"]
    assert shape["incomplete"] is None
    page = (tmp_path / "out" / "report.html").read_text()
    assert "add node-1" in page
    assert [result["trace"] for result in shape["results"]] == ["traces/0001.html", "traces/0002.html"]
    assert 'href="traces/0001.html"' in page
    assert "completed after 2 attempts" in (tmp_path / "out" / "traces" / "0001.html").read_text()
    assert str(tmp_path) not in shape["results"][0]["command"]
    assert "plan=[at.activity_completes('add').do(faults.lose_answer())]" in shape["results"][0]["code"]["text"]
    progress = done.stderr.splitlines()
    assert progress[0] == "[1/2] lost, seed 5"
    assert any(" fault     the result is lost" in line for line in progress)
    assert any(" activity  add, attempt 2" in line for line in progress)
    assert list(paths.rehearsals.iterdir()) == []
    suite = Xml.parse(tmp_path / "ci" / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    lines = (tmp_path / "ci" / "summary.md").read_text().splitlines()
    assert lines[0] == "### Rehearsals\\: 1 passed, 1 failed, 0 unknown"
    assert any(line.startswith("| ❌ | lost | ") and "happened 2 times" in line for line in lines)
    assert any(line.startswith("| ✅ | fine | ") for line in lines)
    assert lines[-1].startswith("Run it again\\: `devserver rehearse ")
    assert files_with_the_mark(tmp_path) == []
    assert MARK not in done.stdout + done.stderr
    failed, passed = suite.iter("testcase")
    assert (failed.get("name"), failed.get("classname")) == ("lost", "scenes")
    failure = failed.find("failure")
    assert failure is not None
    assert "happened 2 times" in str(failure.get("message"))
    assert "again: devserver rehearse" in str(failed.findtext("system-out"))
    assert passed.find("failure") is None


def test_a_fault_that_never_happens_is_not_a_pass(devserver: Run, write: Write, tmp_path: Path) -> None:
    """Exit code 4, an error in the JUnit file, and the fault that did not happen; --json prints nothing else."""
    path = write(never=NEVER)
    done = devserver("rehearse", str(path), "--json", "--junit", "junit.xml", "--repeat", "2", "--seed", "4294967295")
    assert done.returncode == 4
    assert done.stderr == ""
    shape = json.loads(done.stdout)
    assert [result["verdict"] for result in shape["results"]] == ["unknown", "unknown"]
    assert [result["seed"] for result in shape["results"]] == [4294967295, 0]
    assert shape["results"][0]["plan"][0]["at"] is None
    assert "--seed 4294967295" in shape["results"][0]["command"]
    assert shape["report"] is None
    errors = list(Xml.parse(tmp_path / "junit.xml").getroot().iter("error"))
    assert ["its moment never came" in str(error.get("message")) for error in errors] == [True, True]


def test_keep(devserver: Run, write: Write, paths: Paths) -> None:
    """--keep keeps the server's state, the ledger and the logs, and you can start a server on them."""
    done = devserver("rehearse", str(write(fine="expect=[expect.completes()]")), "--keep", "--report", "out")
    assert done.returncode == 0
    (path_text,) = (line.removeprefix("kept: ") for line in done.stdout.splitlines() if line.startswith("kept: "))
    (folder,) = Path(path_text).iterdir()
    assert {"server.log", "temporal.db", "with-faults"} <= {file.name for file in folder.iterdir()}
    assert (folder / "with-faults" / "ledger.jsonl").exists()
    assert f"devserver up --db-filename {folder / 'temporal.db'}" in done.stdout
    (kept,) = (result["kept_server"] for result in json.loads(Path("out/report.json").read_text())["results"])
    assert f"--db-filename {folder / 'temporal.db'} --port 7533 --ui-port 8533" in kept["command"]
    assert f'href="{kept["web_ui"]}"' in Path("out/report.html").read_text()
    assert "/namespaces/default/workflows/rehearsal-" in kept["web_ui"]
    again = devserver("rehearse", str(write(fine="expect=[expect.completes()]")))
    assert again.returncode == 0
    assert folder.exists()
    try:
        assert devserver("up", "-d", "--port", "0", "--db", str(folder / "temporal.db")).returncode == 0
        assert "Grow" in devserver("temporal", "--", "workflow", "list").stdout
    finally:
        devserver("down", "--all")


def test_a_sweep_kills_at_every_point(devserver: Run, write: Write) -> None:
    """--sweep tries every point of the history, and names the points that fail."""
    path = write(lost=LOST)
    path.with_name("grow.py").write_text(RUNBOOK.replace(SECOND, ""))  # few points are enough
    done = devserver("rehearse", str(path), "--sweep", "worker", "--report", "out", limit=110)
    assert done.returncode == 1, done.stdout + done.stderr
    assert " points passed\n" in done.stdout
    assert "  fail     survives a kill of the worker at each of " in done.stdout
    assert "add has acted, but not reported it yet: fail: add exactly once: add node-1 happened 2 times" in done.stdout
    assert "points, " in done.stderr
    assert "Points that did not pass" in Path("out/report.html").read_text()


def test_a_terminal_shows_progress(write: Write) -> None:
    """The live view shows the rehearsal, the fault when it happens, and the verdict."""
    with Terminal(command("rehearse", str(write(lost=LOST, seconds=1.0))), columns=120) as terminal:
        terminal.until("[1/1] lost")
        terminal.until("the result is lost")
        terminal.until("1 failed")
        assert terminal.code() == 1


def test_a_live_rehearsal_without_a_browser(write: Write, monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    """The terminal shows the lanes and what becomes of the expectations; the report is kept."""
    monkeypatch.setenv("PATH", "/nowhere")  # with whatever opens a browser
    with Terminal(command("rehearse", str(write(lost=LOST, seconds=1.0)), "--live"), columns=120) as terminal:
        terminal.until("live: http://127.0.0.1:")
        terminal.until("no browser could be opened")
        terminal.until("Side effects")
        terminal.until("FAIL")
        terminal.until("1 failed")
        assert terminal.code() == 1
    (row,) = RehearsalArchive(paths).all()
    assert (row.name, row.verdict) == ("lost", "fail")


def test_a_server_that_does_not_start_makes_it_unknown(devserver: Run, write: Write, tmp_path: Path) -> None:
    """A rehearsal that cannot start is unknown, neither passed nor failed, and the reason is shown."""
    illbehaved = tmp_path / "temporal"
    illbehaved.write_text("#!/bin/sh\necho 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)'\nexit 3\n")
    illbehaved.chmod(0o755)
    path = write(fine="expect=[expect.completes()]")
    done = devserver("rehearse", str(path), "--report", "out", env={"DEVSERVER_BINARY": str(illbehaved)})
    assert done.returncode == 4, done.stderr
    assert "UNKNOWN  fine" in done.stdout
    assert "the rehearsal can run" in (tmp_path / "out" / "report.html").read_text()


def test_an_expectation_that_raises_is_shown_with_its_place_and_the_others_are_checked(
    devserver: Run, write: Write
) -> None:
    """An error in the scenario's own code is not a pass, and the other verdicts are kept."""
    done = devserver("rehearse", str(write(bad="expect=[Confused()]", fine="expect=[expect.completes()]")))
    assert done.returncode == 4, done.stderr
    assert "UNKNOWN  bad" in done.stdout
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "PASS     fine" in done.stdout


def test_a_steady_state_that_fails_at_the_start_means_that_nothing_was_done(devserver: Run, write: Write) -> None:
    """The verdict is unknown rather than fail, with the reason."""
    done = devserver("rehearse", str(write(ill="steady_state=[lambda: False], expect=[expect.completes()]")))
    assert done.returncode == 4, done.stderr
    assert "UNKNOWN  ill" in done.stdout
    assert "  the steady state did not hold before the run; the plan was not executed\n" in done.stdout
    assert "(before): it returned False" in done.stdout


def test_a_full_disk_under_the_report_does_not_lose_the_verdicts(devserver: Run, write: Write, tmp_path: Path) -> None:
    """Verdicts are printed, the folder is named, no partial file is left, and the exit code is not a pass."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        done = devserver("rehearse", str(write(fine="expect=[expect.completes()]")), "--report", str(folder))
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    assert done.returncode == 1
    assert "PASS     fine" in done.stdout
    assert f"error: cannot write the report into {folder}: No space left on device" in done.stderr


# Interrupted, killed, two at once


def test_ctrl_c_stops_everything_and_writes_a_partial_report(
    write: Write, tmp_path: Path, home: Path, paths: Paths
) -> None:
    """Exit code 130; no process is left, and the report says what happened and what did not run. No process loads the
    SDK a second time for the workers."""
    words = command("rehearse", str(write(seconds=60.0, slow=LOST, other=LOST)), "--report", "out")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as held:
        eventually(lambda: has_noted(paths, "fault: the result is lost"))
        assert not [process for process in processes_of(home) if "worker_forkserver_main" in str(process.cmdline())]
        held.send_signal(signal.SIGINT)
        out, err = held.communicate(timeout=120)
    assert held.returncode == 130
    assert "interrupted; stopping everything" in err
    assert "interrupted by Ctrl-C: everything is stopped; not run: other\n" in out
    assert f"report: {tmp_path / 'out' / 'report.html'} (of the finished rehearsals)" in out
    eventually(lambda: not processes_of(home))
    shape = json.loads((tmp_path / "out" / "report.json").read_text())
    assert shape["incomplete"] == "interrupted by Ctrl-C"
    assert shape["not_run"] == ["other"]
    (partial,) = shape["results"]
    assert partial["verdict"] == "unknown"
    assert [effect["key"] for effect in partial["effects"]][:1] == ["node-1"]
    assert partial["plan"][0]["at"] is not None
    assert list(paths.rehearsals.iterdir()) == []


def test_ctrl_c_at_any_time_ends_it(write: Write, home: Path, paths: Paths) -> None:
    """Ctrl-C while a server or a worker is starting also ends the rehearsal soon and leaves nothing."""
    path = str(write(seconds=60.0, slow=LOST))
    for wait in ('"scenario"', "server: up", "worker: ", "activity: add"):
        with subprocess.Popen(command("rehearse", path), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as held:
            eventually(lambda wait=wait: has_noted(paths, wait))  # type: ignore[misc]
            held.send_signal(signal.SIGINT)
            held.communicate(timeout=120)
        assert held.returncode == 130
        eventually(lambda: not processes_of(home))


def test_a_second_ctrl_c_does_not_wait(write: Write, home: Path, paths: Paths) -> None:
    """A second Ctrl-C ends the rehearsal at once, and still no process is left."""
    words = command("rehearse", str(write(seconds=60.0, slow=STUBBORN)))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as held:
        eventually(lambda: has_noted(paths, "fault: something that does not like"))
        held.send_signal(signal.SIGINT)
        assert held.stderr is not None
        while "interrupted; stopping everything" not in held.stderr.readline():
            pass
        held.send_signal(signal.SIGINT)
        out, _ = held.communicate(timeout=120)
    assert held.returncode == 130
    assert out == ""
    eventually(lambda: not processes_of(home))


def test_a_killed_rehearsal_leaves_nothing_running_and_the_next_one_reports_it(
    devserver: Run, write: Write, home: Path, paths: Paths
) -> None:
    """kill -9 also ends server and worker. The next call reports the killed rehearsal, its last step and its files,
    once, and the call after that removes the files."""
    slow = write("slow.py", seconds=60.0, slow=LOST)
    with subprocess.Popen(command("rehearse", str(slow)), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as held:
        eventually(lambda: has_noted(paths, "activity: add"))
        held.kill()
        held.communicate(timeout=120)
    eventually(lambda: not processes_of(home))
    (journal,) = journals(paths)
    folder = journal.with_suffix("")
    fine = str(write(fine="expect=[expect.completes()]"))
    reported = devserver("rehearse", fine)
    assert reported.returncode == 0
    assert " was killed\n" in reported.stderr
    assert "  it was running 'slow'; its last event: " in reported.stderr
    assert f"  its ledgers and logs are in {folder} until the next rehearsal\n" in reported.stderr
    assert list(folder.glob("*/with-faults/ledger.jsonl"))
    assert "was killed" not in devserver("rehearse", fine).stderr
    assert list(paths.rehearsals.iterdir()) == []


def test_two_rehearsals_at_once_do_not_see_each_other(write: Write, paths: Paths) -> None:
    """Each rehearsal has its own server, ledger and journal, and neither takes the other for dead."""
    path = str(write(lost=LOST, seconds=1.0))
    words = [*command("rehearse", path, "--json")]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    found = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [1, 1]
    assert [err for _, err in found] == ["", ""]
    assert [len(json.loads(out)["results"][0]["effects"]) for out, _ in found] == [3, 3]
    assert list(paths.rehearsals.iterdir()) == []
