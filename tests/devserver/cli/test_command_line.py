"""The command line as a whole: every letter and option has one meaning, and all help has one form."""

from __future__ import annotations

import re
from collections import defaultdict

import click
import pytest

from devserver.cli.main import devserver as root
from devserver.cli.options.types import Duration
from tests.devserver.cli.commands import walk

ALL = list(walk(root))
LEAVES = {path: command for path, command in ALL if not isinstance(command, click.Group)}
OPTIONS = [
    (path, option)
    for path, command in ALL
    for option in command.params
    if isinstance(option, click.Option) and not option.hidden
]
FORBIDDEN = re.compile(
    r"\b(told|tells?|mend|anew|besides|steers?|heeded|so (many|much|long|often)|goes on|go on|no more|of what|as it is|"
    r"its key|beforehand, so|nowhere|kept|begun|holds)\b",
    re.IGNORECASE,
)
# Letters that the Temporal CLI itself uses twice, and -n of `docker logs`, `kubectl logs` and tail.
TWO_MEANINGS = {"-f": {"--follow", "--db-filename"}, "-n": {"--namespace", "--lines"}}
NOTHING_TO_REPORT = {"devserver temporal", "devserver completion", "devserver mcp"}


def _long(option: click.Option) -> str:
    return next(name for name in option.opts if name.startswith("--"))


def test_a_letter_has_one_meaning() -> None:
    """`-w` is the workflow id and `-q` is `--quiet` in all commands, and so on."""
    meanings = defaultdict(set)
    for _, option in OPTIONS:
        for letter in option.opts:
            if not letter.startswith("--"):
                meanings[letter].add(_long(option))
    assert {letter: names for letter, names in meanings.items() if len(names) > 1} == TWO_MEANINGS
    assert meanings["-w"] == {"--workflow-id"}
    assert meanings["-q"] == {"--quiet"}


@pytest.mark.parametrize(
    "name", ["--limit", "--worker", "--name", "--json", "--quiet", "--timeout", "--wait", "--watch"]
)
def test_an_option_has_one_meaning(name: str) -> None:
    """An option has one type and one help text in all commands."""
    found = [option for _, option in OPTIONS if name in option.opts]
    assert found
    assert len({(type(option.type), option.is_flag) for option in found}) == 1
    if name not in ("--timeout", "--wait", "--watch"):
        assert len({option.help for option in found}) == 1
    if name == "--timeout":
        assert isinstance(found[0].type, Duration)
    if name == "--wait":
        assert all(option.is_flag for option in found)
    if name in ("--wait", "--watch"):
        assert all(len(option.opts) == 1 for option in found)


def test_workflow_commands_share_the_spelling_of_their_options() -> None:
    """An input field is spelled the same way in all commands."""
    spelled = defaultdict(set)
    for path, option in OPTIONS:
        if path.startswith(("devserver workflow", "devserver schedule", "devserver run")):
            spelled[option.name].add(tuple(option.opts))
    for name in (
        "task_queue",
        "execution_timeout",
        "run_timeout",
        "workflow_type",
        "memo",
        "address",
        "tls_server_name",
    ):
        assert len(spelled[name]) == 1, name


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=[f"{path} {option.opts[0]}" for path, option in OPTIONS])
def test_the_help_of_an_option(path: str, option: click.Option) -> None:
    """Option help is a phrase that starts with a capital letter and ends with a full stop; click shows its default."""
    text = option.help or ""
    assert re.match(r"[A-Z]|gRPC |SQLite ", text), text
    assert text.endswith("."), text
    assert FORBIDDEN.search(text) is None, text
    assert "[" not in text, text
    assert not text.startswith(("Its ", "Their ", "Of ", "If ", "So ", "This ")), text
    assert option.show_envvar == bool(option.envvar), path


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_the_help_of_a_command(path: str, command: click.Command) -> None:
    """Command help is plain sentences, and the first one appears in the list of commands."""
    text = click.unstyle(command.help or "").replace("\b\n", "")
    first = text.split("\n\n")[0]
    assert re.match(r"[A-Z]", first), path
    assert FORBIDDEN.search(text) is None, FORBIDDEN.search(text)
    short = command.get_short_help_str(200)
    assert short.endswith("."), short


def test_all_commands_that_report_print_json() -> None:
    """Every command has `--json`, except those that print the output of another program or speak a protocol."""
    without = {
        path for path, command in LEAVES.items() if not any("--json" in option.opts for option in command.params)
    }
    assert without == NOTHING_TO_REPORT


LITERALS = {
    "devserver up": ("127.0.0.1", "fast", "30d", "warn", "text", "/"),
    "devserver run": ("pinned", "100", "default"),
    "devserver workflow start": ("10s", "default"),
    "devserver schedule create": ("UTC", "365d"),
    "devserver metrics": ("default",),
}


@pytest.mark.parametrize(("path", "values"), LITERALS.items())
def test_a_default_that_can_be_typed_has_no_parentheses(path: str, values: tuple[str, ...]) -> None:
    """Defaults appear as `[default: fast]`, as click shows them; only descriptions have parentheses."""
    command = LEAVES[path]
    context = click.Context(command, info_name=path, show_default=True)
    records = [option.get_help_record(context) for option in command.params if isinstance(option, click.Option)]
    text = " ".join(record[1] for record in records if record is not None)
    for value in values:
        assert f"default: {value}" in text
        assert f"default: ({value})" not in text


def test_defaults_of_ports_mention_that_ports_persist() -> None:
    """The help says that a restart reuses the ports of the last start."""
    context = click.Context(LEAVES["devserver up"], show_default=True)
    for option in context.command.params:
        if isinstance(option, click.Option) and option.opts[0].endswith("port"):
            record = option.get_help_record(context)
            assert record is not None
            assert "reused on restart" in record[1], option.opts


def test_defaults_are_shown_by_click() -> None:
    """`--help` shows `[default: ...]` for every option with a default."""
    for path, command in LEAVES.items():
        context = click.Context(command, info_name=path, show_default=True)
        for option in command.params:
            if not isinstance(option, click.Option) or option.hidden:
                continue
            default = option.get_default(context)
            if isinstance(default, (str, int, float)) and default is not False and default != "":
                record = option.get_help_record(context)
                assert record is not None
                assert "default: " in record[1], (path, option.opts)
