"""Asking a program for its version when it may be anything."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devserver.errors import NotTemporal
from devserver.executables import temporal_cli


def program(folder: Path, text: str, name: str = "program") -> Path:
    """An executable file."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_real_executable_tells_both_versions(real_binary: Path) -> None:
    """CLI and server versions are read from the answer."""
    assert temporal_cli.probe_version(real_binary) == temporal_cli.ProbeResult("1.9.1", "1.32.0")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/sh\necho hello\n", "`--version` prints something else"),
        ("#!/bin/sh\necho broken >&2; exit 3\n", "exit code 3"),
        ("#!/bin/sh\nexit 0\n", "it printed nothing"),
        ("\x7fELF garbage", "not a program, or was built for another kind of machine"),
        ("#!/bin/sh\nprintf '\\377\\376\\033[31m'\n", "something else"),
        ("#!/no/such/interpreter\n", "cannot be run"),
    ],
)
def test_what_is_not_temporal_is_told_with_what_it_printed(tmp_path: Path, text: str, reason: str) -> None:
    """Each kind of stranger gets its own reason, and no control character reaches the terminal."""
    with pytest.raises(NotTemporal) as caught:
        temporal_cli.probe_version(program(tmp_path, text))
    assert reason in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """The limit holds even where a child of the program keeps the pipe open."""
    before = time.monotonic()
    with pytest.raises(NotTemporal, match=r"did not answer `--version` within 0.3 s"):
        temporal_cli.probe_version(program(tmp_path, "#!/bin/sh\necho wait; sleep 60 & sleep 60\n"), limit=0.3)
    assert time.monotonic() - before < 10


def test_a_program_that_never_stops_printing_is_ended(tmp_path: Path) -> None:
    """Its output is read up to a limit, not into all memory."""
    with pytest.raises(NotTemporal):
        temporal_cli.probe_version(program(tmp_path, "#!/bin/sh\nwhile :; do echo temporal; done\n"))


def test_a_program_that_may_not_be_executed_is_told(tmp_path: Path) -> None:
    """The permission is named as the cause."""
    path = program(tmp_path, "#!/bin/sh\n")
    path.chmod(0o644)
    with pytest.raises(NotTemporal, match="permission denied"):
        temporal_cli.probe_version(path)
