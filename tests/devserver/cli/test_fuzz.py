"""Plain input, however odd, is never a bug: each option and argument of each command with values nobody expects.

A bounded part of them runs here; `make fuzz` runs all.
"""

from __future__ import annotations

import io
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from devserver.cli.main import EXIT_BUG, run
from devserver.cli.main import devserver as root
from tests.conftest import Run
from tests.devserver.cli.commands import walk

VALUES = (
    *(
        "",
        " ",
        "-",
        "--",
        "@",
        "@nowhere",
        "=",
        "a=",
        "=b",
        "a=b",
        ":",
        "a:",
        ":b",
        "a.py:",
        "..",
        "/",
        "~nobody/x",
        "{",
        "[]",
    ),
    *("0", "-1", "1e999", "nan", "inf", "-inf", "00", "0x10", "1_000", "65536", "99999999999999999999", "9" * 400),
    *("99999999999999999999d", "1d1", "5 s", "1h-1m", "٣", "1.5.5", "0.0000000001s", "9" * 30 + "ms"),
    *("2027-02-30", "9999-12-31T23:59:59+00:00", "0001-01-01", "now", "2027-13", "10000-01-01", "-1h", "99999999d"),
    *(
        "x" * 300,
        "é" * 300,
        "x" * 70_000,
        "a" * 255 + "/" + "b" * 255,
        "\x1b[31mred",
        "\x00",
        "a\x00b",
        "a\nb",
        "💥",
    ),
    *(
        "* * * * *",
        "61 * * * *",
        "@every 1s",
        "a/b",
        "%",
        "#",
        "?",
        "'",
        '"',
        "`x`",
        "$(x)",
        "x' OR '1'='1",
        "\\",
        "1/0",
    ),
)
PART = 4  # values for each parameter in the usual run
DEAR = {"devserver run": 1}  # the same for commands that start a process for each
AT_ONCE = {"devserver wait": ["--timeout", "0"]}  # commands that would wait for a server
EVERYTHING = os.environ.get("DEVSERVER_FUZZ") == "all"


def values_for(path: str, name: str) -> tuple[str, ...]:
    """All values, or a part of them: another one for each parameter, and the same in each run."""
    if EVERYTHING:
        return VALUES
    start = zlib.crc32(f"{path} {name}".encode())
    return tuple(VALUES[(start + at * 17) % len(VALUES)] for at in range(DEAR.get(path, PART)))


def lines(path: str, command: click.Command) -> Iterator[list[str]]:
    """Command lines: each parameter with its values, the others left out or plain."""
    words = [*path.split()[1:], *AT_ONCE.get(path, ())]
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    plain = ["x"] * sum(argument.required for argument in arguments)
    for param in command.params:
        if param.opts[0] in AT_ONCE.get(path, ()):
            continue
        for value in values_for(path, param.name or ""):
            if isinstance(param, click.Argument):
                yield [*words, "--", *([value] * max(1, param.nargs))]
            elif param.opts[-1].startswith("-") and not param.is_flag:  # type: ignore[attr-defined]
                yield [*words, *plain, param.opts[0], value]
    for value in values_for(path, "an unknown option"):
        yield [*words, f"--{value}"]


SERVING = {"devserver payloads serve", "devserver mcp", "devserver dashboard"}  # with input that fits they would serve
COMMANDS = {
    path: command for path, command in walk(root) if not isinstance(command, click.Group) and path not in SERVING
}


@pytest.fixture
def nothing_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No executable, no network, no server: a command gets as far as its input, and ends."""
    monkeypatch.setenv("DEVSERVER_BINARY", str(home / "none"))
    monkeypatch.setenv("DEVSERVER_OFFLINE", "1")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("path", COMMANDS)
def test_no_input_is_a_bug(path: str, capsys: pytest.CaptureFixture[str], devserver: Run) -> None:
    """Exit codes are those of docs/json.md; 3, which says that devserver has a bug, is not among them."""
    for line in lines(path, COMMANDS[path]):
        if path in DEAR:  # in a fork, where the process that it starts is one too
            done = devserver(*line, answer="")
            code, errors = done.returncode, done.stderr
        else:
            code, errors = run(line), capsys.readouterr().err
        assert code != EXIT_BUG, ascii((line, errors[-3000:]))
        assert "Traceback" not in errors, ascii(line)


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(
    "line",
    [
        ["search", "x", "--longer", "99999999999999999999"],
        ["inspect", "x" * 300],
        ["payloads", "serve", "--show", "9" * 400],
        ["trust", "x" * 300],
    ],
)
def test_values_out_of_range_are_wrong_usage(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers and names that are too large end with exit code 2 and one sentence."""
    assert run(line) == 2
    assert "Traceback" not in capsys.readouterr().err
