"""`devserver binary list`: a table for people, a stable list for programs."""

from __future__ import annotations

import json

from devserver import executables
from devserver.executables import Executable
from devserver.executables.known_releases import DEFAULT_VERSION, PINS, SERVER_VERSIONS
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.conftest import Run
from tests.helpers.download_service import DownloadService

KEYS = [
    "version",
    "server_version",
    "default",
    "pinned",
    "advisories",
    "installed",
    "path",
    "sha256",
    "source",
    "intact",
]


def test_json_lists_known_versions_newest_first(devserver: Run) -> None:
    """Every version has all keys, whether it is installed or not."""
    rows = json.loads(devserver("binary", "list", "--json").stdout)["versions"]
    assert [row["version"] for row in rows] == list(reversed(SERVER_VERSIONS))
    assert all(list(row) == KEYS for row in rows)
    assert [row["version"] for row in rows if row["default"]] == [DEFAULT_VERSION]
    assert rows[0]["sha256"] == PINS[DEFAULT_VERSION][current().key]
    assert rows[-1]["advisories"] == ["CVE-2025-14986", "CVE-2025-14987", "CVE-2026-5199"]


def test_an_installed_unknown_version_is_listed_too(devserver: Run, paths: Paths, service: DownloadService) -> None:
    """An unknown version is listed with its path, hash and source, and as not verified."""
    request = executables.BinaryRequest(version="9.9.9", source="release", base_url=service.url)
    found = executables.ensure(request, paths=paths)
    row = json.loads(devserver("binary", "list", "--json", "--verify").stdout)["versions"][0]
    assert row == {
        "version": "9.9.9",
        "server_version": "1.99.0",
        "default": False,
        "pinned": False,
        "advisories": [],
        "installed": True,
        "path": str(found.path),
        "sha256": found.sha256,
        "source": "release",
        "intact": True,
    }


def test_the_table_marks_installed_versions(devserver: Run, paths: Paths, service: DownloadService) -> None:
    """The first lines of the table show which versions are installed."""
    request = executables.BinaryRequest(version="9.9.9", source="release", base_url=service.url)
    executables.ensure(request, paths=paths)
    lines = devserver("binary", "list").stdout.splitlines()
    assert lines[:3] == [
        "  VERSION  SERVER  NOTES",
        "* 9.9.9    1.99.0  installed (release); not pinned",
        "  1.9.1    1.32.0  default",
    ]


def test_a_binary_found_on_this_machine_is_shown_as_installed_once(devserver: Run, installed: Executable) -> None:
    """`installed` appears once, not for both state and source."""
    line = next(line for line in devserver("binary", "list").stdout.splitlines() if line.startswith("*"))
    assert line.endswith("  default; installed")


def test_verify_fails_for_a_changed_binary(devserver: Run, paths: Paths, service: DownloadService) -> None:
    """Exit code 1, and the line says what to do."""
    request = executables.BinaryRequest(version="9.9.9", source="release", base_url=service.url)
    executables.ensure(request, paths=paths).path.write_bytes(b"#!/bin/sh\n")
    done = devserver("binary", "list", "--verify")
    assert done.returncode == 1
    assert "CHANGED" in done.stdout
    assert "devserver doctor" in done.stdout
