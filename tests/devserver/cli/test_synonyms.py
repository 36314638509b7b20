"""Unknown commands and options: the words of other tools work, or the message says what to type."""

from __future__ import annotations

import re

import click
import pytest

from devserver.cli.main import devserver as root
from devserver.cli.main import run
from devserver.cli.synonym_tables import COMMANDS, DELETING, OPTIONS
from devserver.cli.synonyms import unknown_option
from tests.conftest import Run
from tests.devserver.cli.commands import walk


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("stop", "stop a server with: devserver down"),
        ("kill", "stop a server with: devserver down"),
        ("start", "`devserver up` starts a server, `devserver workflow start MODULE:WORKFLOW` a workflow"),
        ("server start-dev", "start a server with: devserver up"),
        ("test", "run tests with pytest, rehearsals with: devserver rehearse"),
        ("start orders.py:Order", "`devserver workflow start orders.py:Order` a workflow"),
        ("start-dev --port 7233", "start a server with: devserver up --port 7233\n"),
        ("kill orders", "stop a server with: devserver down --name orders\n"),
        ("stop --name=orders", "stop a server with: devserver down --name orders\n"),
        ("kill -9", "stop a server with: devserver down\n"),
        ("workflow list", "the Temporal CLI has it: devserver temporal -- workflow list\n"),
        ("workflow list -w x", "the Temporal CLI has it: devserver temporal -- workflow list -w x\n"),
        ("workflow show -w order-1", "show what a workflow did with: devserver workflow trace -w order-1\n"),
        ("workflow show", "show what a workflow did with: devserver workflow trace WORKFLOW_ID\n"),
        ("workflow execute --type Order", "devserver workflow start MODULE:WORKFLOW --type Order --wait\n"),
        ("schedule toggle a", "`devserver schedule pause a` and `devserver schedule unpause a`"),
        ("schedule toggle", "`devserver schedule pause ID` and `devserver schedule unpause ID`"),
        ("describe order-1", "show a workflow with: devserver trace order-1"),
        ("describe orders.py", "show a module with: devserver inspect orders.py"),
        ("describe", "`devserver inspect MODULE` shows a module"),
        ("describe -w order-1", "show a workflow with: devserver trace -w order-1\n"),
        (
            "signal orders.py:pay order-1",
            "devserver workflow signal orders.py:pay order-1\n",
        ),
        ("deploy status", "roll out builds with: devserver deployment"),
        ("versions", "list versions with: devserver binary list"),
        ("operator namespace list", "the Temporal CLI has it: devserver temporal -- operator namespace list\n"),
        ("namespace list", "the Temporal CLI has it: devserver temporal -- operator namespace list\n"),
        ("namespace delete orders", "devserver temporal -- operator namespace delete --help\n"),
        (
            "rm orders",
            "`devserver down` stops a server and keeps its state; for other commands see: ",
        ),
        ("init", "`devserver up` starts a server without any setup, `devserver new` writes a project\n"),
        ("manual trace", "show the documentation with: devserver docs trace\n"),
        ("scaffold", "write a project with: devserver new DIR\n"),
        ("healthcheck", "wait for a server with: devserver wait\n"),
        ("create", "`devserver up --name NAME` starts a new server"),
        ("connect", "`devserver env` prints the settings that connect a client"),
        ("attach", "`devserver logs --follow` follows a server's log"),
    ],
)
def test_synonym_of_a_command(capsys: pytest.CaptureFixture[str], words: str, advice: str) -> None:
    """The exit code is 2, and the message says what to type."""
    assert run(words.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{words.split()[0 if ' ' not in words or words.split()[0] in COMMANDS['devserver'] else 1]}'" in printed.err
    assert advice in printed.err


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("stauts", "No such command 'stauts'. Did you mean 'status'?\n"),
        ("restrat", "No such command 'restrat'. Did you mean 'restart'?\n"),
        ("xyzzy", "No such command 'xyzzy'. See: devserver --help\n"),
        ("rset", "No such command 'rset'. See: devserver --help\n"),
    ],
)
def test_the_nearest_command_is_suggested_unless_it_deletes(
    capsys: pytest.CaptureFixture[str], word: str, end: str
) -> None:
    """A typo gets the nearest command; `reset` is never suggested."""
    assert run([word]) == 2
    assert capsys.readouterr().err.endswith(end)


def test_no_advice_names_a_command_that_deletes() -> None:
    """No message suggests a command that deletes, also if you type `delete` or `clean`."""
    for words in COMMANDS.values():
        for word, advice in words.items():
            named = {part.strip("`,") for part in advice.split()}
            assert named & (DELETING - {"restore"}) == set(), word


def test_synonyms_are_not_commands() -> None:
    """The table contains no existing command, and every group in it exists."""
    groups = {path: command for path, command in walk(root) if hasattr(command, "commands") or path in COMMANDS}
    assert set(COMMANDS) <= set(groups)
    for path, words in COMMANDS.items():
        known = {name.rpartition(" ")[2] for name, _ in walk(root) if name.rpartition(" ")[0] == path}
        assert set(words) & known == set(), path


@pytest.mark.parametrize("words", [["ls"], ["ps"], ["help"], ["help", "up"], ["version"], ["-V"], ["snapshot", "ls"]])
def test_synonyms_that_run(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """`ls` and `ps` list instances, `help [COMMAND]` shows help, `version` and `-V` show the version."""
    same = {
        "ls": ["list"],
        "ps": ["list"],
        "help": ["--help"],
        "help up": ["up", "--help"],
        "version": ["--version"],
        "-V": ["--version"],
        "snapshot ls": ["snapshot", "list"],
    }[" ".join(words)]
    assert run(words) == 0
    printed = capsys.readouterr().out
    assert run(same) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["up", "--tunin", "fast"], "No such option '--tunin'. Did you mean --tuning?"),
        (["up", "--xyzzy"], "No such option '--xyzzy'.\n"),
        (["search", "-q", "x"], "-q means --quiet, and only where a command has it"),
        (["stuck", "--output", "json"], "No such option '--output': --json prints JSON"),
        (["up", "--in-memory"], "--ephemeral keeps no state on disk"),
        (["up", "--verbose"], "No such option '--verbose': --log-level info makes the server log more\n"),
        (["reset", "--force"], "No such option '--force': --yes, or -y, skips the question\n"),
        (["down", "--force"], "No such option '--force'.\n"),
        (["restart", "--force"], "No such option '--force'.\n"),
        (["logs", "--hel"], "Did you mean --help?"),
    ],
)
def test_an_unknown_option(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    """The exit code is 2, with the option to use or a similar one."""
    assert run(words) == 2
    assert message in capsys.readouterr().err


def test_advice_names_only_options_of_the_command() -> None:
    """Every option named in advice on an unknown option exists on that command."""
    for path, command in walk(root):
        options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
        known = {name for option in options for name in option.opts}
        for typed in set(OPTIONS) - known:
            message = unknown_option(typed, (), {*known, "--help"})
            text = re.sub(r"`.*`", "", message.partition(": ")[2])
            assert set(re.findall(r"--?[a-z][a-z-]*", text)) - {typed} <= known | {"--help", "--quiet"}, (path, message)


@pytest.mark.parametrize("command", ["down", "restart", "status", "logs", "ui", "env", "up"])
def test_a_name_without_its_option(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """`down default` is an error that shows how to name a server."""
    assert run([command, "my shop"]) == 2
    assert capsys.readouterr().err.endswith(f"To choose a server use: devserver {command} --name my\n")
    assert run([command, "default"]) == 2
    assert capsys.readouterr().err.endswith(
        f"Error: Got unexpected extra argument (default). To choose a server use: devserver {command} --name default\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ip", "here"], "error: --ip 'here' is not an IP address\n"),
        (["--bind", "here"], "error: --bind 'here' is not an IP address\n"),
        (["--ip", "0.0.0.0"], "error: --ip 0.0.0.0 opens the server to the network\n"),
        (["--ephemeral", "-f", "x.db"], "error: --ephemeral and -f contradict each other\n"),
        (["--ephemeral", "--db=x.db"], "error: --ephemeral and --db contradict each other\n"),
        (["--ephemeral", "--db-filename", "x.db"], "error: --ephemeral and --db-filename contradict each other\n"),
        (["--dynamic-config-value", "a.b=1ms"], "for example --dynamic-config-value 'a.b=\"1s\"'\n"),
        (["--dynamic-config", "a.b=1ms"], "for example --dynamic-config 'a.b=\"1s\"'\n"),
        (["--dynamic-config", "a"], "error: --dynamic-config 'a' does not have the form KEY=JSON\n"),
    ],
)
def test_errors_use_the_spelling_that_was_typed(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """For an option with several spellings, the error uses yours."""
    assert run(["up", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "start --type X",
            "such as orders.py:Order. Without the workflow's code use: devserver temporal -- workflow start",
        ),
        (
            "query -w a --type q",
            "such as orders.py:Order.state. Without the workflow's code use: devserver temporal -- ",
        ),
        ("update -w a --name u", "devserver temporal -- workflow update execute -w a --name u\n"),
        (
            "query",
            "Error: Missing argument 'MODULE:WORKFLOW.QUERY', a Python file or module such as orders.py:Order.state.\n",
        ),
        (
            "start --amount 3 a.py:B",
            "comes before MODULE:WORKFLOW, which is first: devserver workflow start a.py:B --amount 3",
        ),
        ("query order-1 foo", "then the workflow id: devserver workflow query MODULE:foo order-1\n"),
        ("signal order-1", "devserver workflow signal MODULE:WORKFLOW.SIGNAL order-1\n"),
        ("start Order", "hint: the first argument is MODULE:WORKFLOW: devserver workflow start MODULE:Order\n"),
        ("trace", "Missing argument 'WORKFLOW_ID' (or --workflow-id).\n"),
    ],
)
def test_a_missing_module(capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    """A command that needs the workflow's code says so, and shows the right command line."""
    assert run(["workflow", *words.split()]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_command_of_the_console_script(devserver: Run) -> None:
    """The installed console script gives the same advice."""
    done = devserver("stop")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Error: No such command 'stop': stop a server with: devserver down\n")
