"""The example rehearsals, run with the command as a user does, with their output and exit codes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.conftest import Run, command
from tests.helpers.checkout import ROOT
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.server

EXAMPLES = ROOT / "examples" / "rehearsals"
LIMIT = 240  # timeout of a command in seconds

Rehearse = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rehearse(tmp_path: Path, devserver: Run, monkeypatch: pytest.MonkeyPatch) -> Rehearse:
    """Run `devserver rehearse` in a copy of the examples."""
    folder = tmp_path / "rehearsals"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            return devserver("rehearse", *words, env={"COLUMNS": "400"}, limit=LIMIT)

    return run


class Machines:
    """The processes and files of the example's PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def alive(self) -> list[psutil.Process]:
        """Return PostgreSQL's processes and the process that manages it."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self._folder) in word for word in process.info["cmdline"] or ())
        ]

    @property
    def folders(self) -> list[Path]:
        """Return its folders."""
        return list(self._folder.glob("rehearsal-postgres-*"))

    @property
    def ready(self) -> bool:
        """Return whether PostgreSQL has logged that it is ready."""
        locks = [lock for folder in self.folders for lock in folder.glob("data/postmaster.pid")]
        return any(lock.read_text().split()[-1:] == ["ready"] for lock in locks)

    @property
    def keeper(self) -> psutil.Process:
        """Return the process that manages PostgreSQL."""
        (found,) = (
            process for process in self.alive if any("postgres_machine.py" in word for word in process.cmdline())
        )
        return found


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """Require PostgreSQL, and check that nothing of it is left after the test."""
    found = shutil.which("postgres") or next(Path("/usr/lib/postgresql").glob("*/bin/postgres"), None)
    if found is None or shutil.which("psql") is None:
        pytest.skip("THE EXAMPLE WITH A REAL DATABASE IS NOT TRIED: PostgreSQL is not installed (make system)")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the database's user needs access to its files
        monkeypatch.setenv("TMPDIR", folder)
        machines = Machines(Path(folder))
        yield machines
        assert not machines.alive
        assert not machines.folders


def one_node(folder: Path, file: str) -> None:
    """Change a scenario's file to add one node only, so that a sweep has few points."""
    text = (folder / file).read_text()
    nodes = '["node-4", "node-5", "node-6", "node-7", "node-8"]'
    assert nodes in text
    (folder / file).write_text(text.replace(nodes, '["node-4"]'))


def test_all_examples_have_plans(rehearse: Rehearse) -> None:
    """The plan of every file can be shown without starting anything, and starts with a description."""
    done = rehearse(".", "--dry-run")
    assert done.returncode == 0, done.stderr
    for file in sorted(EXAMPLES.glob("*.py")):
        text = file.read_text()
        assert text.startswith('"""'), file
        if "Scenario(" in text:
            assert f"devserver rehearse {file.name}" in text
            assert rehearse(file.name, "--dry-run").stdout in done.stdout


def test_the_bug_is_found(rehearse: Rehearse, tmp_path: Path) -> None:
    """The scale-up with the bug fails; the report names the step whose effect happened twice, and the fault."""
    done = rehearse("scale_up_bug.py", "--report", "out")
    assert done.returncode == 1, done.stderr
    assert "fail     add_node exactly once: add_node node-5 happened 2 times: at " in done.stdout
    assert "  repeated add_node node-5 happened twice" in done.stdout
    assert "in between: the result is lost: the worker is killed (-9) after the side effect" in " ".join(
        done.stdout.split()
    )
    assert "without faults 8, with faults 9" in done.stdout
    report = json.loads((tmp_path / "rehearsals" / "out" / "report.json").read_text())
    (twice,) = report["results"][0]["repeated_effects"]
    assert (twice["name"], twice["key"]) == ("add_node", "node-5")
    assert "add_node node-5 happened twice" in (tmp_path / "rehearsals" / "out" / "report.html").read_text()


def test_the_fixed_example_passes(rehearse: Rehearse, tmp_path: Path) -> None:
    """The fixed runbook differs in one condition; the same scenario passes, and so does its sweep."""
    folder = tmp_path / "rehearsals"
    one_node(folder, "scale_up_bug.py")
    bug, fixed = ((folder / name).read_text() for name in ("ring_runbook_bug.py", "ring_runbook.py"))
    assert sorted({line.strip() for line in fixed.splitlines()} - {line.strip() for line in bug.splitlines()}) == [
        "if node not in ring.nodes:  # an attempt whose result was lost may have added it"
    ]
    (folder / "ring_runbook_bug.py").write_text(fixed)
    swept = rehearse("scale_up_bug.py", "--sweep", "worker")
    assert swept.returncode == 0, swept.stdout
    assert "every point passes" in swept.stdout


def test_faults_drills_and_legacy_script(rehearse: Rehearse) -> None:
    """The fixed scale-up passes with faults, a pause, a stop, and the legacy script next to it or in its place."""
    done = rehearse("scale_up.py")
    assert done.returncode == 0, done.stdout
    assert "7 passed, 0 failed, 0 unknown" in done.stdout
    for text in (
        "the server (killed at",
        "nothing started while it was paused",
        "remove_node happened for node-4, node-5, node-6",
        "the same result as the legacy script: both are 8",
        "the legacy script did the rest: add_node node-6, add_node node-7, add_node node-8",
    ):
        assert text in " ".join(done.stdout.split())


def test_three_weeks(rehearse: Rehearse) -> None:
    """Twenty clusters, one a day, with a pause overnight, an alert, and killed server and worker."""
    done = rehearse("rolling_upgrade.py", "--only", "monitor fires")
    assert done.returncode == 0, done.stdout
    assert "'taken_back': ['cluster-10']" in done.stdout
    assert "nothing started while it was paused" in done.stdout


def test_ten_days(rehearse: Rehearse) -> None:
    """Two regions, one after the other, with an operator's slowdown and faults of worker, network and server."""
    done = rehearse("database_migration.py", "--only", "everything breaks")
    assert done.returncode == 0, done.stdout
    assert "update set_chunk(45): it answered 50" in done.stdout
    assert "both are ['east', 'west']" in done.stdout


@pytest.mark.usefixtures("machines")
def test_a_real_database(rehearse: Rehearse) -> None:
    """PostgreSQL is killed and restarted once, with all its data, although server and worker die meanwhile."""
    done = rehearse("restart_postgres.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PostgreSQL answers and has all orders (after): it holds" in done.stdout
    assert "both are {'amount': 3503500, 'orders': 1000}" in done.stdout


@pytest.mark.usefixtures("rehearse")
@pytest.mark.parametrize("killed", ["rehearsal", "keeper"])
def test_postgresql_ends_with_the_rehearsal(machines: Machines, tmp_path: Path, killed: str) -> None:
    """kill -9 of the command or of the process that manages PostgreSQL leaves no PostgreSQL process."""
    rehearsal = subprocess.Popen(
        command("rehearse", "restart_postgres.py"),
        cwd=tmp_path / "rehearsals",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with rehearsal:
        try:
            eventually(lambda: machines.ready)
            rehearsal.send_signal(signal.SIGSTOP)  # no clean-up
            (rehearsal if killed == "rehearsal" else machines.keeper).kill()
            eventually(lambda: not machines.alive)
        finally:
            rehearsal.send_signal(signal.SIGINT)
            rehearsal.send_signal(signal.SIGCONT)
    eventually(lambda: not machines.folders)
