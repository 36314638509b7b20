"""`devserver gameday`: a scripted person plays real game days by the commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.cli.gameday.run import add_project, debrief_folder
from devserver.executables.models import Executable
from devserver.system.paths import Paths
from tests.conftest import Run, command, processes_of
from tests.helpers.json_schemas import check_output
from tests.helpers.played import FILE, played
from tests.helpers.waiting import LIMIT, eventually

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e & \"quotes\" 'too' | pipe"


@pytest.mark.usefixtures("installed")
def test_a_person_finds_the_cause_and_lights_the_lamp(devserver: Run, tmp_path: Path, home: Path, paths: Paths) -> None:
    """Everything that they say and do is in the debrief, with times; nothing is left of the game day."""
    with played(devserver, tmp_path, "--seed", "7") as day:
        day.begin()
        said = day.said
        assert "A watchman looks at a lamp every half second." in said
        assert "lamp goes out" not in said
        assert "dark" not in said
        mine = day.variables()
        assert mine["DEVSERVER_NAME"] == "gameday"
        eventually(lambda: devserver("stuck", env=mine).returncode == 1)
        workflow_id = day.ask("status")["workflow_id"]
        assert day.ask("noticed", HOSTILE)["early"] is False
        assert day.ask("cause", "the watchman sleeps")["right"] is False
        assert day.ask("hint")["hint"] == "Look at the lamp."
        assert day.ask("act", "shout")["done"] == "restarts the watchman"
        assert devserver("gameday", "act", "sing").stderr == (
            "error: unknown action 'sing'\nhint: actions of this game day: light, shout\n"
        )
        signalled = devserver("temporal", "--", "workflow", "signal", "-w", workflow_id, "--name", "call", env=mine)
        assert signalled.returncode == 0, signalled.stderr
        paused = devserver("temporal", "--", "workflow", "pause", "-w", workflow_id, env=mine)
        assert paused.returncode == 0, paused.stderr
        assert day.ask("cause", "the lamp is OUT")["right"] is True
        assert day.ask("status") | {"seconds": 0, "seconds_left": 0} == {
            "form": 1,
            "name": "The night watch",
            "seconds": 0,
            "limit": 300,
            "seconds_left": 0,
            "workflow_id": workflow_id,
            "status": "running",
            "noticed": True,
            "cause_named": True,
            "recovered": False,
            "hints": 1,
            "hints_left": 1,
            "ending": None,
        }
        day.ask("act", "light")
        shape = day.debrief()
        assert day.process.returncode == 0
        assert day.process.stdout is not None
        assert "debrief: " in day.process.stdout.read()
    found = shape["gameday"]
    times = found["times"]
    assert found["ending"] == "recovered"
    assert times["noticed_by"] == "said"
    assert 0 <= times["noticed"] <= times["paused"] <= times["cause"] <= times["recovered"]
    assert times["stopped"] is None
    assert (times["hints"], times["hint_seconds"]) == (1, 60)
    assert [(turn["what"], turn["why"]) for turn in found["wrong_turns"]] == [
        ("named the cause: the watchman sleeps", "it was not the cause"),
        ("did shout", "it does not help against this cause"),
    ]
    assert [action["what"] for action in found["server_actions"]] == ["signal call", "paused"]
    logged = [(line["command"].split(" -w")[0], line["code"]) for line in found["commands"]]
    assert ("stuck", 1) in logged
    assert logged[-2:] == [("temporal -- workflow signal", None), ("temporal -- workflow pause", None)]
    assert any("activity_retrying" in line for seen in found["observations"] for line in seen["stuck"])
    assert found["first_sign"]["at"] >= times["began"]
    assert any("Write this hint" in item for item in found["checklist"])
    for name in ("debrief.html", "debrief.md"):
        text = (day.report / name).read_text()
        assert "<script>alert" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "the watchman sleeps" in text.replace("\\", "")
    assert "<b>went out</b>" not in (day.report / "debrief.html").read_text()
    assert devserver("list", "--json").stdout.count("gameday") == 0
    eventually(lambda: not processes_of(home))
    assert list(paths.gamedays.iterdir()) == []


@pytest.mark.usefixtures("installed")
def test_who_does_nothing_reads_so(devserver: Run, tmp_path: Path) -> None:
    """The limit ends it: exit code 1, and the debrief names what was missed."""
    words = ("gameday", "run", str(FILE), "--only", "The night watch", "--time-limit", "8s", "--json")
    done = devserver(*words, "--report", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr
    shape = json.loads(done.stdout)
    assert shape["report"] == str(tmp_path / "out" / "debrief.html")
    found = shape["gameday"]
    assert found["ending"] == "limit"
    assert found["summary"] == (
        "Not noticed, the cause not named, not recovered. The time limit ended it. Nobody did anything."
    )
    assert found["checklist"][0].startswith("Nobody noticed it. Add an alert for it.")
    assert any("The cause was not found" in item for item in found["checklist"])


@pytest.mark.usefixtures("installed")
def test_two_at_once_need_two_names(devserver: Run, tmp_path: Path, home: Path) -> None:
    """The second one says so and starts nothing; with a name of its own it runs, and then commands ask which is meant.
    Ctrl-C ends one and writes its debrief."""
    (tmp_path / "second").mkdir()
    with played(devserver, tmp_path, only="Nothing happens") as first:
        first.begin()
        refused = devserver("gameday", str(FILE), "--only", "Nothing happens")
        assert refused.returncode == 4
        assert "error: the game day gameday runs already\n" in refused.stderr
        with played(devserver, tmp_path / "second", "--name", "other", only="Nothing happens") as second:
            second.begin()
            asked = devserver("gameday", "status")
            assert asked.returncode == 4
            assert asked.stderr == "error: several game days run: gameday, other\nhint: choose one with --name\n"
            assert second.ask("noticed", "--name", "other")["early"] is True
            second.process.send_signal(signal.SIGINT)
            found = second.debrief()["gameday"]
            assert second.process.returncode == 130
        assert found["ending"] == "interrupted"
        assert found["summary"] == "It ended before anything went wrong."
        assert [turn["why"] for turn in found["wrong_turns"]] == ["nothing was wrong yet"]
        assert first.ask("end")["ending"] == "person"
        first.process.wait(LIMIT)
    eventually(lambda: not processes_of(home))
    missing = devserver("gameday", "noticed", "anything")
    assert missing.returncode == 4
    assert missing.stderr == "error: no game day runs\nhint: start one: devserver gameday imports\n"


@pytest.mark.usefixtures("installed")
def test_ctrl_c_while_it_starts(devserver: Run, tmp_path: Path, home: Path, paths: Paths) -> None:
    """It ends with exit code 130, without a debrief, and nothing is left."""
    with played(devserver, tmp_path) as day:
        eventually(lambda: (paths.gamedays / "gameday" / "gameday.json").exists())
        day.process.send_signal(signal.SIGINT)
        day.process.wait(LIMIT)
        assert day.process.returncode == 130
    eventually(lambda: not processes_of(home))
    assert list(paths.gamedays.iterdir()) == []


@pytest.mark.usefixtures("installed")
def test_one_that_was_killed_leaves_nothing(devserver: Run, tmp_path: Path, home: Path, paths: Paths) -> None:
    """kill -9 ends the server and the worker too; the next game day of the name removes the rest, and says so."""
    with played(devserver, tmp_path, only="Nothing happens") as day:
        day.begin()
        day.process.kill()
        day.process.wait(LIMIT)
    eventually(lambda: not processes_of(home))
    assert paths.gamedays.exists()
    words = command("gameday", str(FILE), "--only", "Nothing happens", "--time-limit", "1s", "--report", "out")
    again = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, cwd=tmp_path, check=False)
    assert "note: an earlier game day was killed; what it left is removed" in again.stderr
    assert again.returncode == 1
    assert list(paths.gamedays.iterdir()) == []


def test_a_server_of_that_name_stays(devserver: Run, installed: Executable, tmp_path: Path) -> None:
    """A game day never takes the place of a server that somebody has made."""
    assert devserver("up", "-d", "--name", "gameday", "--port", "0", "--ephemeral").returncode == 0
    try:
        refused = devserver("gameday", str(FILE), "--only", "Nothing happens", "--report", str(tmp_path))
        assert refused.returncode == 4
        assert "there is a server of the name gameday already" in refused.stderr
        assert "gameday" in devserver("list").stdout
    finally:
        devserver("reset", "--forget", "--yes", "--name", "gameday")


def test_the_list_and_what_is_wrong(devserver: Run) -> None:
    """The examples by name; a typing error is no scenario."""
    assert "imports   A nightly import of customer records\n" in devserver("gameday", "list").stdout
    assert [item["name"] for item in json.loads(devserver("gameday", "list", "--json").stdout)["gamedays"]] == [
        "cluster",
        "imports",
        "payouts",
    ]
    typed = devserver("gameday", "notced", "x")
    assert typed.returncode == 2
    assert "noticed" in typed.stderr
    unknown = devserver("gameday", "nowhere.py")
    assert unknown.returncode == 2
    assert "no file and no game day 'nowhere.py'" in unknown.stderr
    assert "cluster, imports, payouts" in unknown.stderr


def test_the_schema_of_a_debrief(tmp_path: Path) -> None:
    """What the page is made from fits the schema that `devserver config schema debrief` prints."""
    with pytest.raises(AssertionError):
        check_output(("gameday", "run", "--json"), '{"form": 1}')


def test_an_example_takes_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has the packages of its project; an example must not load what lies in a folder by chance."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    add_project("imports")
    assert str(Path.cwd()) not in sys.path
    (tmp_path / "night.py").touch()
    add_project("night.py")
    assert sys.path[-1] == str(Path.cwd())


def test_a_debrief_is_for_the_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names commands and workflows: its folder among the user's data is private, whichever was created first."""
    monkeypatch.setenv("DEVSERVER_HOME", str(tmp_path / "home"))
    folder = debrief_folder(None)
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert debrief_folder(tmp_path / "mine") == tmp_path / "mine"
