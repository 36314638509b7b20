"""`devserver config show`: each setting and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

from devserver.config.settings_keys import KEYS
from tests.conftest import Run

FILE = """
name = "shop"
port = 7300
retention = "7d"
base-url = "https://user:word@mirror.example"

[schedules.nightly]
type = "Report"
task-queue = "reports"
"""


def test_each_value_and_its_origin(tmp_path: Path, devserver: Run) -> None:
    """A variable, a line of the file, or the default; what is not trusted does not count; no password is shown."""
    file = tmp_path / "temporal-devserver.toml"
    file.write_text(FILE)
    done = devserver("config", "show", env={"DEVSERVER_RETENTION": "3d", "DEVSERVER_POTR": "1"})
    rows = {line.split()[0]: line.split(None, 1)[1] for line in done.stdout.splitlines()}
    assert rows["port"].split() == ["7300", f"{file}:3"]
    assert rows["retention"].split() == ["3d", "DEVSERVER_RETENTION"]
    assert rows["schedules"].split() == ["nightly", f"{file}:7"]
    assert rows["tuning"].split() == ["fast", "default"]
    assert rows["base-url"].endswith(f"{file}:5, does not count: not trusted")
    assert rows["DEVSERVER_HOME"].endswith("environment")
    assert set(KEYS) <= set(rows)
    assert "word" not in done.stdout
    assert "DEVSERVER_POTR is set, but no such setting exists; did you mean DEVSERVER_PORT?" in done.stderr
    assert f"devserver trust {tmp_path}" in done.stderr
    short = devserver("config", "show", "--set").stdout.splitlines()
    assert [line.split()[0] for line in short[1:6]] == ["base-url", "name", "port", "schedules", "retention"]


def test_as_json(tmp_path: Path, devserver: Run) -> None:
    """The same with types; after `devserver trust` every key counts."""
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.devserver]{FILE.replace('[schedules', '[tool.devserver.schedules')}"
    )
    found = json.loads(devserver("config", "show", "--json", env={"DEVSERVER_POTR": "1"}).stdout)
    settings = {setting["key"]: setting for setting in found["settings"]}
    assert (settings["port"]["value"], settings["port"]["line"], settings["port"]["counts"]) == (7300, 3, True)
    assert settings["schedules"]["value"] == {"nightly": {"type": "Report", "task-queue": "reports"}}
    assert (settings["base-url"]["value"], settings["base-url"]["counts"]) == ("https://***@mirror.example", False)
    assert (settings["ui"]["value"], settings["ui"]["origin"], settings["ui"]["default"]) == (None, "default", "true")
    assert found["unknown_variables"] == [{"name": "DEVSERVER_POTR", "nearest": "DEVSERVER_PORT"}]
    assert devserver("trust").returncode == 0
    found = json.loads(devserver("config", "show", "--json").stdout)
    assert [setting["key"] for setting in found["settings"] if not setting["counts"]] == []


def test_without_settings(devserver: Run) -> None:
    """Only the home of this test is set."""
    assert devserver("config", "show", "--set").stdout.splitlines()[1:] == [
        line for line in devserver("config", "show", "--set").stdout.splitlines() if "DEVSERVER_HOME" in line
    ]


def test_a_malformed_file(tmp_path: Path, devserver: Run) -> None:
    """The error of every command, with its line."""
    (tmp_path / "temporal-devserver.toml").write_text('\nport = "seven"\n')
    done = devserver("config", "show")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/temporal-devserver.toml:2: port must be a port")
