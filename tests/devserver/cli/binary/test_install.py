"""`devserver install`: what it prints, where, and its exit codes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from devserver.executables.known_releases import PINS
from devserver.executables.versions import pinned_sha256
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.conftest import Run
from tests.helpers.download_service import DownloadService, script, status

SHA256 = hashlib.sha256(script()).hexdigest()


def test_install_reports_the_installed_binary(devserver: Run, paths: Paths) -> None:
    """The output names the installed version; the version comes from the environment."""
    done = devserver("install", "--offline")
    path = paths.store / str(pinned_sha256("1.9.1", current().key)) / "temporal"
    assert done.stdout == (
        "temporal 1.9.1 (server 1.32.0) is installed\n"
        f"  path    {path}\n"
        "  source  installed\n"
        f"  sha256  {PINS['1.9.1'][current().key]} (pinned)\n"
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_quiet_prints_nothing(devserver: Run, service: DownloadService) -> None:
    """`--quiet` prints no progress, no warning and no result."""
    service.faults["metadata"].append(status(503, Retry_After="0"))
    done = devserver("install", "9.9.9", "--source", "release", "--base-url", service.url, "--quiet")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_progress_without_a_terminal_is_plain_lines(devserver: Run, service: DownloadService, paths: Paths) -> None:
    """A short download prints one line at its end and a warning about the missing checksum, without escape codes."""
    done = devserver("install", "v9.9.9", "--source=release", f"--base-url={service.url}")
    size = len(service.archive) / 1_000_000
    assert done.stderr.splitlines() == [
        f"temporal 9.9.9: {size:.1f} of {size:.1f} MB (100%)",
        (
            f"temporal 9.9.9 for {current().key} has no pinned SHA-256; "
            f"trusting the one from {service.url}/archive?...: {SHA256}"
        ),
        f"warning: {paths.store / SHA256 / 'temporal'} is not a pinned build; its SHA-256 is {SHA256}",
    ]
    assert done.stdout.splitlines()[-1] == f"  sha256  {SHA256} (not pinned)"


def test_wrong_checksum(devserver: Run, service: DownloadService, paths: Paths) -> None:
    """A wrong checksum exits with code 1, and the message says what to do."""
    done = devserver("install", "--source=release", f"--base-url={service.url}", "-q")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        (
            f"error: temporal 1.9.1 from {service.url}/archive?... is not the expected executable; "
            "it was deleted and not run"
        ),
        f"  expected: {PINS['1.9.1'][current().key]} (pinned for {current().key})",
        f"  found:    {SHA256}",
        "  likely cause: a mirror or proxy that serves another build; at worst, tampering",
        (
            "hint: 1. try another source, such as --source wheel or --source release; "
            f"2. if you trust this build: --accept-sha256 {SHA256}"
        ),
    ]
    assert not list(paths.store.glob("1.9.1*"))


def test_wrong_options_are_usage_errors(devserver: Run) -> None:
    """Wrong options exit with code 2, whether click or the command rejects them."""
    assert devserver("install", "--source", "moon").returncode == 2
    assert devserver("install", "--accept-sha256", "12").returncode == 2
    done = devserver("install", "1.9")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: '1.9' is not a version of the Temporal CLI"


def test_project_settings_apply_and_options_override_them(
    devserver: Run, service: DownloadService, tmp_path: Path
) -> None:
    """The version, source and base URL of the project's settings are used, and an option overrides them."""
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.devserver]\nversion = "9.9.9"\nsource = "release"\nbase-url = "{service.url}"\n'
    )
    assert devserver("trust").returncode == 0
    assert "temporal 9.9.9" in devserver("install").stdout
    assert "temporal 1.9.1" in devserver("install", "1.9.1", "--source", "installed").stdout
    done = devserver("install", env={"DEVSERVER_REQUIRE_PINNED": "1"})
    assert done.returncode == 1
    assert "and one is required" in done.stderr


def test_own_binary_is_reported_with_its_hash(devserver: Run, tmp_path: Path) -> None:
    """Your own binary is not copied; the output shows its path and hash."""
    own = tmp_path / "mine"
    own.write_bytes(script())
    own.chmod(0o755)
    done = devserver("install", "--binary", "mine")
    assert f"  path    {own}" in done.stdout.splitlines()
    assert "is used in place" in done.stdout
    assert "is not a pinned build" in done.stderr


def test_malformed_settings_are_a_usage_error(devserver: Run, tmp_path: Path) -> None:
    """The message names the file and the key."""
    (tmp_path / "pyproject.toml").write_text('[tool.devserver]\nvershun = "9.9.9"\n')
    done = devserver("install")
    assert done.returncode == 2
    assert "unknown key 'vershun'" in done.stderr
    assert "did you mean 'version'?" in done.stderr


def test_help_explains_version(devserver: Run) -> None:
    """The help explains what a version is, so that a new user need not look it up."""
    done = devserver("install", "--help")
    assert done.returncode == 0
    assert "VERSION is a version of the Temporal CLI" in done.stdout
