"""The log of commands of a game day: off by default, bounded, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.system.command_log import MOST_BYTES, VARIABLE, CommandLog, read_commands


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An empty log."""
    file = tmp_path / "commands.jsonl"
    file.touch()
    return file


def begin(log: Path, *words: str, **more: str) -> CommandLog | None:
    """A command begins in a terminal of the game day."""
    return CommandLog.begin(words, {VARIABLE: str(log), "DEVSERVER_NAME": "gameday", **more})


def test_a_command_and_its_end(log: Path) -> None:
    """With its exit code; one that becomes another program has none."""
    found = begin(log, "stuck", "--attempts", "3")
    assert found is not None
    found.end(1)
    begin(log, "temporal", "--", "workflow", "list")
    first, second = read_commands(log)
    assert (first.command, first.code) == ("stuck --attempts 3", 1)
    assert first.seconds is not None
    assert (second.command, second.code, second.seconds) == ("temporal -- workflow list", None, None)


def test_what_is_not_logged(log: Path) -> None:
    """Nothing without the variable; no other server's commands; not those that the game day notes itself."""
    assert CommandLog.begin(["stuck"], {}) is None
    assert begin(log, "stuck", "--name", "other") is None
    assert begin(log, "stuck", "--name=other") is None
    assert begin(log, "stuck", "--address", "example.com:7233") is None
    assert begin(log, "gameday", "noticed") is None
    assert begin(log, "stuck", "--name", "gameday") is not None
    assert len(read_commands(log)) == 1


def test_secrets_and_inputs_are_left_out(log: Path) -> None:
    """Values of options and variables whose names say so, credentials in URLs, and whole inputs."""
    begin(log, "workflow", "start", "m.py:W", "--input", '{"card": "4111"}', "--api-key", "s3cret", KEY_TOKEN="hush1")
    begin(log, "search", "hush1", "https://ada:pw@example.com/", "--input=4111", KEY_TOKEN="hush1")
    shown = "\n".join(command.command for command in read_commands(log))
    assert not [secret for secret in ("4111", "s3cret", "hush1", "pw") if secret in shown]
    assert "workflow start m.py:W --input ..." in shown


@pytest.mark.parametrize(
    "words",
    [
        ("-i4111",),
        ("-i", "4111"),
        ("-i=4111",),
        ("--grpc-meta", "authorization=4111"),
        ("--grpc-meta=authorization=4111",),
        ("--codec-header", "x-pass=4111"),
    ],
)
def test_every_spelling_of_an_input_or_a_header_is_left_out(log: Path, words: tuple[str, ...]) -> None:
    """Also a value that is part of the word, and headers of calls."""
    begin(log, "workflow", "signal", "w", "go", *words, "--json")
    (command,) = read_commands(log)
    assert "4111" not in command.command
    assert command.command.endswith(" --json")


def test_it_is_bounded_and_never_creates_a_file(log: Path, tmp_path: Path) -> None:
    """A full log gets no further line, and a log that was removed is not created again."""
    for _ in range(5):
        begin(log, "search", "x" * 10_000)
    assert all(len(command.command) <= 300 for command in read_commands(log))
    log.write_bytes(b"x" * MOST_BYTES)
    begin(log, "stuck")
    assert log.stat().st_size == MOST_BYTES
    missing = tmp_path / "missing"
    begin(missing, "stuck")
    assert not missing.exists()
    (tmp_path / "link").symlink_to(log)
    begin(tmp_path / "link", "stuck")
    assert log.stat().st_size == MOST_BYTES


def test_damaged_lines_are_skipped(log: Path) -> None:
    """A reader takes what it can."""
    begin(log, "stuck")
    with log.open("a") as file:
        file.write('{"command": 1}\nnonsense\n[1]\n{"pid": 1, "ended": 2, "at": 3, "code": 0}\n')
    assert [command.command for command in read_commands(log)] == ["stuck"]
