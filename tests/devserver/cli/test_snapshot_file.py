"""`devserver snapshot export` and `import`: a state that another machine opens."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Run


def test_from_one_machine_to_another(up: Run, devserver: Run, tmp_path: Path) -> None:
    """A running server is exported; a machine that never ran one restores the file and starts with that state."""
    up("--no-ui", "--namespace", "precious")
    there = {"DEVSERVER_HOME": str(tmp_path / "home" / "there")}
    done = devserver("snapshot", "export", "state.snapshot")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"of default to {tmp_path / 'state.snapshot'}" in done.stdout
    listed = json.loads(devserver("snapshot", "list", "--json").stdout)
    assert listed["snapshots"] == []
    assert devserver("down").returncode == 0

    done = devserver("snapshot", "import", "state.snapshot", "shared", env=there)
    assert done.stdout.splitlines()[1] == "restore it with: devserver snapshot restore shared"
    done = devserver("snapshot", "restore", "shared", env=there)
    assert (done.returncode, done.stdout) == (0, "restored shared into default\n")
    assert up("--no-ui", env=there).stderr == ""
    namespaces = devserver("temporal", "--", "operator", "namespace", "list", "-o", "json", env=there).stdout
    assert "precious" in {each["namespaceInfo"]["name"] for each in json.loads(namespaces)}
    assert devserver("down", env=there).returncode == 0


def test_a_saved_snapshot_as_a_file(up: Run, devserver: Run, tmp_path: Path) -> None:
    """By its name; the JSON of both commands; a file of a newer server is imported with a note, and not restored."""
    up("--no-ui")
    assert devserver("down").returncode == 0
    assert devserver("snapshot", "save", "demo").returncode == 0
    file = tmp_path / "demo.snapshot"
    exported = json.loads(devserver("snapshot", "export", str(file), "demo", "--json").stdout)
    assert (exported["name"], exported["bytes"], exported["file"]) == ("demo", file.stat().st_size, str(file))
    again = devserver("snapshot", "export", str(file), "demo")
    assert (again.returncode, f"{file} exists already" in again.stderr) == (2, True)
    assert devserver("snapshot", "export", "x.snapshot", "nothing").returncode == 4
    swapped = devserver("snapshot", "export", "demo", "./x.snapshot")
    assert (swapped.returncode, "run: devserver snapshot export ./x.snapshot demo" in swapped.stderr) == (2, True)

    data = file.read_bytes().replace(b'"server_version": "1.32.0"', b'"server_version": "9.9.9"')
    file.write_bytes(data.replace(b'"cli_version": "1.9.1"', b'"cli_version": "3.2.1"'))
    done = devserver("snapshot", "import", str(file), "--json")
    assert json.loads(done.stdout)["name"] == "demo-2"
    assert "the instance runs 1.32.0: start it with --version 3.2.1" in done.stderr
    done = devserver("snapshot", "restore", "demo-2", "--yes")
    assert (done.returncode, "was saved from server 9.9.9" in done.stderr) == (1, True)

    file.write_bytes(data[:9000])
    done = devserver("snapshot", "import", str(file))
    assert done.returncode == 1
    assert f"cannot import {file}: it is truncated" in done.stderr
    listed = json.loads(devserver("snapshot", "list", "--json").stdout)["snapshots"]
    assert [each["name"] for each in listed] == ["demo", "demo-2"]


def test_an_ephemeral_project_has_no_state_to_replace(devserver: Run, tmp_path: Path) -> None:
    """Its next start would not use the restored file."""
    (tmp_path / "temporal-devserver.toml").write_text("ephemeral = true\n")
    done = devserver("snapshot", "restore", "demo")
    assert (done.returncode, "is ephemeral and not running" in done.stderr) == (1, True)
