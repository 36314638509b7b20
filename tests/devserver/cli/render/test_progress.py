"""Progress of long operations: a bar, lines, or nothing."""

from __future__ import annotations

import sys

import pytest

from devserver.cli.render import progress
from devserver.cli.render.progress import CliReporter

MEGA = 1_000_000


def test_lines_are_rare_and_the_last_one_is_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one line per few seconds and per tenth of the work."""
    clock = iter(range(1000))
    monkeypatch.setattr("devserver.cli.render.progress.time.monotonic", lambda: float(next(clock)))
    with CliReporter(terminal=False) as reporter:
        for done in range(101):
            reporter.progress("temporal", done * MEGA, 100 * MEGA)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "temporal: 10.0 of 100.0 MB (10%)"
    assert lines[-1] == "temporal: 100.0 of 100.0 MB (100%)"
    assert len(lines) == 10


def test_unknown_size_shows_elapsed_time_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a total no percentage is shown."""
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr("devserver.cli.render.progress.time.monotonic", lambda: float(next(clock)))
    with CliReporter(terminal=False) as reporter:
        for done in range(5):
            reporter.progress("temporal", done * MEGA, None)
    assert capsys.readouterr().err.splitlines() == ["temporal: 2.0 MB", "temporal: 4.0 MB"]


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, on a terminal or elsewhere."""
    with CliReporter(quiet=True, terminal=True) as reporter:
        reporter.note("note")
        reporter.warn("warning")
        reporter.progress("temporal", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_and_notes_between(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar is cleared for a note, and at the end."""
    with CliReporter(terminal=True) as reporter:
        reporter.progress("temporal", MEGA, 2 * MEGA)
        reporter.note("trying again")
        reporter.progress("temporal", 2 * MEGA, 2 * MEGA)
        reporter.warn("not pinned")
    output = capsys.readouterr()
    assert output.out == ""
    assert "trying again\n" in output.err
    assert "warning: not pinned" in output.err


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_ci_gets_no_bar(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CI output has no bar, even where it is a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert progress.on_terminal()
    monkeypatch.setenv(name, value)
    assert not progress.on_terminal()
