"""The root command: finds commands without importing them, and turns errors into messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import DevServerError, OptionError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_BUG = 3
EXIT_INTERRUPTED = 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

# Section -> name -> the line that --help shows. Kept here so that --help imports no command.
SECTIONS = {
    "Servers": {
        "up": "Start a server, or say where the running one is.",
        "down": "Stop a server.",
        "restart": "Stop a server and start it again as it was.",
        "status": "Tell how a server is.",
        "list": "List the servers of this user.",
        "logs": "Show a server's log.",
        "env": "Print the settings a client needs to reach a server.",
        "ui": "Open a server's Web UI.",
        "temporal": "Run the Temporal CLI against a server.",
        "reset": "Delete everything a server has kept.",
        "snapshot": "Save and restore a server's state.",
        "doctor": "Look for problems and say how to mend them.",
    },
    "Workflows": {
        "run": "Run a worker for a module, always with its newest code.",
        "describe": "Show what a module has for a worker.",
        "start": "Start a workflow of a module.",
        "signal": "Send a signal to a workflow.",
        "query": "Ask a workflow.",
        "update": "Update a workflow.",
        "trace": "Show what a workflow did, as a tree.",
        "search": "Find steps of workflows by what happened in them.",
        "stuck": "List the workflows that do not go on by themselves.",
        "schedule": "Make, preview and steer schedules.",
        "deploy": "Move work from one build of the workers to another, and back.",
        "payloads": "Show, check and clean up large payloads kept in a folder.",
        "metrics": "Show the main figures of a server and its workers.",
        "observe": "Make configuration for Prometheus or the Datadog Agent.",
    },
    "Rehearsals": {
        "rehearse": "Rehearse an outage: does a runbook survive it?",
    },
    "The executable and this command": {
        "install": "Get and verify the server's executable.",
        "versions": "List the executables that are known and installed.",
        "prune": "Remove executables that are no longer needed.",
        "completion": "Print a shell's completion script.",
    },
}
# Commands whose module is in a group's package.
MODULES = {
    "start": "workflow.start",
    "signal": "workflow.signal",
    "query": "workflow.query",
    "update": "workflow.update",
    "trace": "workflow.trace",
    "search": "workflow.search",
    "stuck": "workflow.stuck",
    "install": "binary.install",
    "versions": "binary.list",
    "prune": "binary.prune",
    "describe": "inspect",
    "deploy": "deployment",
}
COMMANDS = {name: line for section in SECTIONS.values() for name, line in section.items()}


class LazyGroup(click.Group):
    """A group whose commands live in `devserver.cli.<name>` and are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{MODULES.get(cmd_name, cmd_name)}", __package__)
        command: click.Command = getattr(module, "list_" if cmd_name == "list" else cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name in the message for an unknown one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click does: reads the options, and shows --help; NO_COLOR is heeded (https://no-color.org)."""
        with _output_may_end():
            return super().make_context(*args, color=_colour(), **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _output_may_end():
            return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands' names for a shell, from the table above: as for --help, none is imported."""
        from click.shell_completion import CompletionItem

        names = [name for name in COMMANDS if name.startswith(incomplete)]
        found = [CompletionItem(name, help=COMMANDS[name]) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


def _colour() -> bool | None:
    """False where colours are not wanted; None: as the output can show."""
    return False if os.environ.get("NO_COLOR") else None


@contextlib.contextmanager
def _output_may_end() -> Iterator[None]:
    """Whoever reads our output (head, a pager) leaves when it has seen enough: no failure, but a full disk is one."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None
    except OSError as error:
        if error.errno not in NO_ROOM or error.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise DevServerError(
            f"the output cannot be written: {error.strerror}", hint="what is there is not complete: make room first"
        ) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="temporal-devserver", prog_name="devserver")
def devserver() -> None:
    """A real, durable, fast Temporal server in one command.

    `devserver up` starts it, Ctrl-C stops it, and what it holds is there the next time.
    """


def main(args: Sequence[str] | None = None) -> None:
    """The console script: run a command and exit with its code."""
    try:
        code = run(args)
    except SystemExit as error:  # how click ends when it has completed a shell's words
        code = error.code if isinstance(error.code, int) else 1
    if "temporalio.bridge" in sys.modules:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End at once: threads of the SDK now and then abort the interpreter while it shuts down."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run a command; the exit code as docs/json.md lists them."""
    if "_DEVSERVER_COMPLETE" in os.environ:
        from .options.shell_completion import register

        register()
    try:
        result = devserver.main(args=args, prog_name="devserver", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DevServerError as error:
        show(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last place that can turn a bug into a report
        return _failed(error, sys.argv[1:] if args is None else args)


def _failed(error: Exception, args: Sequence[str]) -> int:
    """What no command expects: an argument that cannot be sent, or else a bug of ours."""
    bytes_left = [arg for arg in args if any("\udc80" <= each <= "\udcff" for each in arg)]
    if isinstance(error, UnicodeEncodeError) and bytes_left:
        show(OptionError(f"the argument {bytes_left[0]} is no text in UTF-8", hint="see how it was typed or copied"))
        return OptionError.exit_code
    from .render.bug_report import report

    report(error)
    return EXIT_BUG


def show(error: DevServerError) -> None:
    """Print an error: what happened, what was found, what to do."""
    colour = _colour()
    click.echo(click.style("error: ", fg="red", bold=True) + _harmless(error.message), err=True, color=colour)
    for line in error.details:
        click.echo(f"  {_harmless(line)}", err=True)
    if error.hint:
        click.echo(click.style("hint: ", fg="cyan") + _harmless(error.hint), err=True, color=colour)


def _harmless(text: str) -> str:
    """Without what would steer a terminal: servers' and users' words are in it."""
    from .render.terminal import clean

    return "\n".join(clean(line) for line in click.unstyle(text).expandtabs().splitlines())
