"""`devserver trust`: a checkout's settings choose what runs only once the user has said so."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from devserver.system.paths import Paths
from tests.conftest import Run
from tests.helpers.download_service import VERSION, DownloadService, script

HOSTILE = """
[tool.devserver]
version = "{version}"
base-url = "{url}"
source = "release"
accept-sha256 = "{sha256}"
"""
SHA256 = hashlib.sha256(script()).hexdigest()
LOOKS = ("doctor", "status", "list", "binary list", "logs", "env", "down", "ui --print")


@pytest.fixture
def hostile(tmp_path: Path, service: DownloadService) -> Path:
    """A checkout whose settings fetch a stranger's program."""
    text = HOSTILE.format(version=VERSION, url=service.url, sha256=SHA256)
    (tmp_path / "pyproject.toml").write_text(text)
    return tmp_path


def test_a_checkout_does_not_choose_what_runs(hostile: Path, devserver: Run, service: DownloadService) -> None:
    """The keys are named with their values and the way out, before anything is fetched."""
    for words in ("up -d", "up --ephemeral -d", "install", "install 9.9.9"):
        done = devserver(*words.split())
        assert done.returncode == 1, words
        assert f"{hostile / 'pyproject.toml'} chooses the program to run, and you have not trusted it" in done.stderr
        assert f"base-url = '{service.url}'" in done.stderr
        assert f"devserver trust {hostile}" in done.stderr
    assert service.asked == []


def test_after_trust_they_count_until_they_change(hostile: Path, devserver: Run, service: DownloadService) -> None:
    """Trust is for these values: another edit of the file does not end it, a change of one of them does."""
    done = devserver("trust")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"trusted {hostile}"
    assert f"  base-url = '{service.url}'" in done.stdout
    assert devserver("install").returncode == 0
    assert service.archives == 1
    file = hostile / "pyproject.toml"
    file.write_text(file.read_text() + "\n[project]\nname = 'orders'\n")
    assert devserver("install").returncode == 0
    file.write_text(file.read_text().replace(SHA256, "0" * 64))
    assert "have not trusted it" in devserver("install").stderr


def test_options_and_variables_are_the_users_own_word(hostile: Path, devserver: Run, service: DownloadService) -> None:
    """With each key given by the user, nothing of the file is used."""
    own = ["--base-url", f"{service.url}/own", "--source", "release", "--accept-sha256", SHA256]
    assert devserver("install", *own).returncode == 0
    variables = {"DEVSERVER_BASE_URL": service.url, "DEVSERVER_SOURCE": "release", "DEVSERVER_ACCEPT_SHA256": SHA256}
    assert devserver("install", env=variables).returncode == 0
    del variables["DEVSERVER_ACCEPT_SHA256"]
    done = devserver("install", env=variables)
    assert done.returncode == 1
    assert "base-url" not in done.stderr.partition("hint")[0]
    assert "accept-sha256" in done.stderr


def test_trust_is_listed_and_revoked(hostile: Path, devserver: Run) -> None:
    """Both as text and as JSON; a folder without such settings can be trusted for completion."""
    assert devserver("trust", "--list").stdout == "you trust no folder\n"
    trusted = json.loads(devserver("trust", "--json").stdout)
    assert (trusted["form"], trusted["folder"], trusted["values"]["source"]) == (1, str(hostile), "release")
    assert json.loads(devserver("trust", "--list", "--json").stdout)["folders"] == [
        {key: trusted[key] for key in ("folder", "values", "binary_sha256")}
    ]
    assert devserver("trust", "--revoke").stdout == f"{hostile} is no longer trusted\n"
    assert devserver("trust", "--revoke").stdout == f"{hostile} was not trusted\n"
    assert "have not trusted it" in devserver("install").stderr
    (hostile / "pyproject.toml").unlink()
    assert "completion imports its modules, also when they change later" in devserver("trust").stdout
    done = devserver("trust", "nowhere")
    assert (done.returncode, "is not a folder" in done.stderr) == (2, True)


@pytest.mark.parametrize("trusted", [False, True])
def test_commands_that_look_run_nothing(tmp_path: Path, devserver: Run, trusted: bool) -> None:
    """Neither an untrusted checkout's executable nor one of the user's that is not pinned is run to look at it."""
    program = tmp_path / "tools" / "temporal"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    program.chmod(0o755)
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nbinary = "tools/temporal"\n')
    if trusted:
        assert devserver("trust").returncode == 0
    for words in LOOKS:
        devserver(*words.split())
        devserver(*words.split(), env={"DEVSERVER_BINARY": str(program)})
        devserver(*words.split(), env={"PATH": f"{program.parent}:{Path('/usr/bin')}:/bin"})
    assert not (tmp_path / "was-run").exists()
    text = devserver("doctor").stdout
    assert ("binary do not count" in text) is not trusted
    assert ("is not a pinned build" in text) is trusted


def test_a_trusted_executable_that_changes_is_not_run(tmp_path: Path, devserver: Run) -> None:
    """A pull brings another file to the trusted path: it is not run before the user says so."""
    program = tmp_path / "temporal"
    program.write_bytes(script("1.9.1", "1.32.0"))
    program.chmod(0o755)
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nbinary = "temporal"\n')
    assert devserver("trust").returncode == 0
    program.write_text("#!/bin/sh\ntouch was-run\n")
    done = devserver("up", "-d")
    assert (done.returncode, (tmp_path / "was-run").exists()) == (1, False)
    assert f"{program} has changed since you trusted the project that chooses it" in done.stderr


@pytest.mark.parametrize(
    "change",
    [('version = "9.9.9"', 'version = "9.9.8"'), ("require-pinned = false", "require-pinned = true")],
)
def test_trust_is_for_the_version_too(hostile: Path, devserver: Run, change: tuple[str, str]) -> None:
    """A mirror that was trusted for one version is not trusted for another one."""
    file = hostile / "pyproject.toml"
    file.write_text(file.read_text() + "require-pinned = false\n")
    assert devserver("trust").returncode == 0
    assert devserver("install").returncode == 0
    file.write_text(file.read_text().replace(*change))
    assert "have not trusted it" in devserver("install").stderr


def test_a_version_without_a_pin_is_a_choice_too(tmp_path: Path, devserver: Run) -> None:
    """An untrusted file may name a pinned version; another one, or one with advisories, takes the user's own word."""
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.devserver]\nversion = "1.9.77"\n')
    done = devserver("install", "--offline")
    assert "version = '1.9.77'" in done.stderr
    assert "have not trusted it" in done.stderr
    file.write_text('[tool.devserver]\nversion = "1.5.1"\n')
    assert "has known security advisories" in devserver("install", "--offline").stderr
    assert devserver("trust").returncode == 0
    assert "advisories" not in devserver("install", "--offline").stderr
    file.write_text('[tool.devserver]\nversion = "1.9.1"\n')
    assert devserver("install", "--offline").returncode == 0


def test_what_is_shown_is_what_is_used(tmp_path: Path, devserver: Run) -> None:
    """A URL is shown with the host that it leads to, and control characters are not printed."""
    file = tmp_path / "pyproject.toml"
    url = "https://evil.example/:x@good.example\\u001b[2K\\u001b[1Ghttps://good.example"
    file.write_text(f'[tool.devserver]\nbase-url = "{url}"\n')
    for done in (devserver("install"), devserver("trust"), devserver("trust", "--list"), devserver("doctor")):
        assert "\x1b" not in done.stdout + done.stderr
    assert "evil.example/" in devserver("trust", "--list").stdout
    assert devserver("install", "--base-url", "https://evil.example:/x@good.example").returncode == 2


def test_a_url_is_shown_in_ascii(tmp_path: Path, devserver: Run) -> None:
    """A host with a letter that looks like another one does not look like the other host."""
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nbase-url = "https://mirr\u043er.example"\n', "utf-8")
    for done in (devserver("install"), devserver("trust"), devserver("trust", "--list")):
        assert r"base-url = 'https://mirr\u043er.example'" in done.stdout + done.stderr


def test_the_name_of_a_folder_is_only_text(tmp_path: Path, devserver: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's name with control characters moves no cursor and fakes no line."""
    folder = tmp_path / "evil\x1b]0;x\x07\u202e\nall is well"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("pyproject.toml").write_text('[tool.devserver]\nsource = "wheel"\n')
    for words in (["doctor"], ["up"], ["trust"], ["trust", "--list"], ["trust", "--revoke"], ["trust", "--revoke"]):
        done = devserver(*words)
        assert [item for item in done.stdout + done.stderr if item in "\x1b\x07\u202e"] == [], words
        assert "all is well" not in (done.stdout + done.stderr).splitlines(), words


def test_trust_in_a_folder_that_others_can_write_to(tmp_path: Path, devserver: Run, paths: Paths) -> None:
    """Who can write to the folder above the records could put their own there: none counts."""
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nsource = "wheel"\n')
    assert devserver("trust").returncode == 0
    paths.state.chmod(0o777)
    for words in (["install", "--offline"], ["trust"], ["trust", "--list"], ["doctor"]):
        done = devserver(*words)
        assert done.returncode == 1, words
        assert f"other users may write to {paths.state} (mode 0777)" in done.stdout + done.stderr, words
    paths.state.chmod(0o700)


def test_executables_in_a_folder_that_others_can_write_to(installed: Executable, devserver: Run, paths: Paths) -> None:
    """The folder above the store counts as the store does."""
    paths.cache.chmod(0o777)
    for words in (["up", "-d"], ["install"], ["doctor"]):
        done = devserver(*words)
        assert done.returncode == 1, words
        assert f"other users may write to {paths.cache} (mode 0777)" in done.stdout + done.stderr, words
    paths.cache.chmod(0o700)


def test_restart_runs_what_ran_before(installed: Executable, tmp_path: Path, devserver: Run, real_binary: Path) -> None:
    """An executable that has changed is neither started again nor run as the Temporal CLI."""
    program = tmp_path / "temporal"
    program.write_bytes(real_binary.read_bytes())
    program.chmod(0o755)
    assert devserver("up", "-d", "--port", "0", "--no-ui", "--binary", str(program)).returncode == 0
    program.unlink()
    program.write_text("#!/bin/sh\ntouch was-run\n")
    program.chmod(0o755)
    for words in (("temporal", "operator", "cluster", "health"), ("restart",)):
        done = devserver(*words)
        assert done.returncode == 1
        assert f"{program} has changed since the instance last ran; it was not run" in done.stderr
    assert not (tmp_path / "was-run").exists()
    devserver("down")


def test_files_that_are_no_projects(tmp_path: Path, devserver: Run) -> None:
    """A pipe, an endless device or a huge file in place of pyproject.toml blocks nothing and takes no memory."""
    file = tmp_path / "pyproject.toml"
    os.mkfifo(file)
    assert devserver("doctor", limit=60).returncode in (0, 1)
    file.unlink()
    file.symlink_to("/dev/zero")
    assert devserver("doctor", limit=60).returncode in (0, 1)
    file.unlink()
    file.write_text("[tool.devserver]\n" + "# x\n" * 400_000)
    assert "larger than 1 MiB" in devserver("doctor").stdout


def test_a_folder_of_a_project_trusts_the_project(tmp_path: Path, devserver: Run) -> None:
    """It says which folder it trusts; a folder with a pyproject.toml of its own is a project of its own."""
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nsource = "wheel"\n')
    (tmp_path / "docs").mkdir()
    assert devserver("trust", "docs").stdout.startswith(f"trusted {tmp_path}, the project of {tmp_path / 'docs'}\n")
    (tmp_path / "docs" / "pyproject.toml").write_text("")
    assert devserver("trust", "docs").stdout.startswith(f"trusted {tmp_path / 'docs'}\n")
