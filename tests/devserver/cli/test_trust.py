"""`devserver trust`: a checkout's settings choose what runs only once the user has said so."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

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
    assert f"  base-url = {service.url}" in done.stdout
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
    assert "shell completion may import" in devserver("trust").stdout
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
