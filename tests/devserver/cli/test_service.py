"""`devserver service`: the file, what the service manager is called with, and names that are taken."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from devserver.services.definition import ServiceDefinition
from devserver.services.errors import ServiceTaken, ServiceUnsupported
from devserver.services.manager import ServiceManager
from tests.conftest import Run

PROGRAM = "/opt/my $HOME <&> é/devserver"
ODD = '/opt/my $HOME %h/it\'s "here" \\ é'


class FakeProgram:
    """A program on PATH that writes down how it is called."""

    def __init__(self, folder: Path, name: str) -> None:
        self._calls = folder / f"{name}.calls"
        folder.mkdir(exist_ok=True)
        program = folder / name
        program.write_text(
            f'#!/bin/sh\necho "$@" >> "{self._calls}"\n'
            'case "$*" in *is-enabled*) echo enabled;; esac\nexit ${FAKE_EXIT:-0}\n'
        )
        program.chmod(0o755)

    def calls(self) -> list[str]:
        """The calls so far, which are forgotten."""
        found = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return found


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """A systemctl that accepts everything."""
    fake = FakeProgram(tmp_path / "bin", "systemctl")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return fake


def unit_of(home: Path, name: str) -> Path:
    """The file of a service on Linux."""
    return home / ".config" / "systemd" / "user" / f"temporal-devserver-{name}.service"


def test_install_and_remove(devserver: Run, home: Path, systemctl: FakeProgram) -> None:
    """The unit starts the instance at login; removing it leaves nothing, and calls the manager for what it enabled."""
    done = devserver("service", "install", "--name", "shop")
    unit = unit_of(home, "shop")
    assert done.stdout == (
        f"wrote {unit}\nshop starts at your next login; start it now with: "
        "systemctl --user start temporal-devserver-shop.service\n"
    )
    assert systemctl.calls() == ["--user daemon-reload", "--user enable temporal-devserver-shop.service"]
    text = unit.read_text()
    assert '/devserver" "up" "--foreground" "--name" "shop"\n' in text
    assert f'Environment="DEVSERVER_HOME={home}/devserver"\n' in text
    assert f"WorkingDirectory={home}\n" in text
    assert devserver("service", "install", "--name", "shop").returncode == 0
    found = json.loads(devserver("service", "status", "--name", "shop", "--json").stdout)
    assert found == {"form": 1, "name": "shop", "installed": True, "enabled": True, "file": str(unit)}
    systemctl.calls()
    assert devserver("service", "remove", "--name", "shop").stdout == f"deleted {unit}\n"
    assert systemctl.calls() == ["--user disable --now temporal-devserver-shop.service", "--user daemon-reload"]
    assert list(unit.parent.iterdir()) == []
    gone = devserver("service", "remove", "--name", "shop")
    assert (gone.returncode, gone.stdout) == (4, "")
    assert "the instance shop has no service" in gone.stderr
    assert devserver("service", "status", "--name", "shop").returncode == 1


def test_print_changes_nothing(devserver: Run, home: Path, systemctl: FakeProgram, tmp_path: Path) -> None:
    """--print shows the file of a project, which starts in its folder, and neither writes nor calls anything."""
    (tmp_path / "temporal-devserver.toml").write_text('namespace = ["orders"]\n')
    done = devserver("service", "install", "--print")
    assert f"WorkingDirectory={tmp_path}\n" in done.stdout
    assert done.stdout.startswith("# Written by `devserver service install`")
    assert not unit_of(home, "default").exists()
    assert systemctl.calls() == []


def test_a_taken_name(devserver: Run, home: Path, systemctl: FakeProgram, tmp_path: Path) -> None:
    """Neither a file of somebody else nor a service with other settings is replaced or deleted."""
    unit = unit_of(home, "default")
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    for command in ("install", "remove"):
        refused = devserver("service", command)
        assert refused.returncode == 1
        assert f"{unit} was not written by devserver\nhint: move that file away" in refused.stderr
    assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"
    assert systemctl.calls() == []
    unit.unlink()
    devserver("service", "install")
    before = unit.read_text()
    (tmp_path / "temporal-devserver.toml").write_text('namespace = ["orders"]\n')
    other = devserver("service", "install")
    assert "the instance default has a service already, with other paths or settings" in other.stderr
    assert "devserver service remove --name default" in other.stderr
    assert unit.read_text() == before


def test_without_a_service_manager(devserver: Run, home: Path, systemctl: FakeProgram) -> None:
    """If systemctl fails, as in a container, the file is written, and the note says what to run."""
    done = devserver("service", "install", env={"FAKE_EXIT": "1"})
    assert done.returncode == 0
    assert unit_of(home, "default").exists()
    assert done.stderr.splitlines()[1:] == [
        "  systemctl --user daemon-reload",
        "  systemctl --user enable temporal-devserver-default.service",
    ]
    assert devserver("service", "remove", env={"FAKE_EXIT": "1"}).returncode == 0
    assert not unit_of(home, "default").exists()


def test_systemd_reads_odd_paths(tmp_path: Path) -> None:
    """Spaces, quotes, dollars and percent signs reach the command as they are (checked by systemd itself)."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder = tmp_path / 'my $HOME %h\'s "x"'
    folder.mkdir()
    programs = tmp_path / "my $HOME %h é"
    programs.mkdir()
    program = programs / "devserver"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "temporal-devserver-shop.service"
    unit.write_text(ServiceDefinition("shop", program, folder, folder / "log", {"DEVSERVER_HOME": ODD}).systemd())
    words = ["systemd-analyze", "--user", "verify", "--man=no", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
    assert done.returncode == 0, done.stderr


def test_launchd(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS an agent is written, enabled, and stopped when it is removed."""
    launchctl = FakeProgram(tmp_path / "bin", "launchctl")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    manager = ServiceManager("shop", launchd=True, home=home)
    definition = ServiceDefinition("shop", Path(PROGRAM), home, home / "log", {"DEVSERVER_HOME": ODD})
    assert manager.install(definition) == []
    place = f"gui/{os.getuid()}/temporal-devserver.shop"
    assert launchctl.calls() == [f"enable {place}"]
    content = plistlib.loads(manager.file.read_bytes())
    assert content["ProgramArguments"] == [PROGRAM, "up", "--foreground", "--name", "shop"]
    assert content["EnvironmentVariables"] == {"DEVSERVER_HOME": ODD}
    assert content["RunAtLoad"]
    assert manager.installed()
    assert manager.remove() == []
    assert launchctl.calls() == [f"print {place}", f"bootout {place}"]
    assert list(manager.file.parent.iterdir()) == []
    manager.file.write_text("<plist/>")
    with pytest.raises(ServiceTaken, match="was not written by devserver"):
        manager.install(definition)


@pytest.mark.parametrize(
    ("program", "folder"),
    [("/bin/devserver", "/a\nExecStart=/bin/evil"), ("/bin/devserver", "/a\\"), ("/it's/devserver", "/a")],
    ids=["line", "backslash", "quote"],
)
def test_a_path_that_would_break_the_file(program: str, folder: str) -> None:
    """A path with a line break, one that would continue a line, and a program that systemd refuses are refused."""
    definition = ServiceDefinition("shop", Path(program), Path(folder), Path("/log"))
    with pytest.raises(ServiceUnsupported, match="cannot stand in the file of a service"):
        ServiceManager("shop", launchd=False, home=Path("/")).text(definition)
