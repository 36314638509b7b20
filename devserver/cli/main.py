"""The root command: the table of commands, and exit codes."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ..errors import DevServerError
from ..system.import_name import require_ours
from .error_output import as_typed, masked, output_colour, show, unusable, with_advice
from .extension import in_order
from .groups import LazyGroup
from .program_name import program_name

EXIT_BUG = 3
EXIT_INTERRUPTED = 130
COMPLETE = "_DEVSERVER_COMPLETE"
COMMAND_LOG = "DEVSERVER_COMMAND_LOG"  # as in `system.command_log`: during a game day
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

# Section -> name -> the line that --help shows. Kept here so that --help imports no command.
SECTIONS = {
    "Start": {
        "new": "Write a project to start from.",
        "docs": "Show a page of the documentation.",
    },
    "Server": {
        "up": "Start a server, or show the running one.",
        "down": "Stop a server.",
        "restart": "Restart a server with the same options and state.",
        "status": "Show a server's status.",
        "list": "List your servers.",
        "logs": "Show a server's log.",
        "env": "Print the settings that connect a client to a server.",
        "ui": "Open a server's Web UI.",
        "dashboard": "Show servers, rehearsals and clusters on a local page.",
        "temporal": "Run the Temporal CLI against a server.",
        "snapshot": "Save and restore a server's state.",
        "doctor": "Find problems and suggest fixes.",
    },
    "Workflows": {
        "run": "Run a worker and reload it when code changes.",
        "inspect": "Show the workflows and activities of a module.",
        "workflow": "Start, signal, query, update, trace, search and reset workflows.",
        "schedule": "Create, preview and manage schedules.",
        "deployment": "Roll out and roll back builds (Worker Versioning).",
    },
    "Data": {
        "payloads": "Show, check and clean up stored large payloads.",
    },
    "Rehearsals": {
        "rehearse": "Run a runbook through outages and check that it survives.",
    },
    "Clusters": {
        "cluster": "Run a real Temporal cluster of several processes.",
    },
    "Executable": {
        "binary": "Install, list and prune versions of the Temporal CLI.",
    },
}
# Commands that --help names in its last lines only: most are in a group too.
UNLISTED = {
    "trace": "Show what a workflow did, as a tree.",
    "search": "Find steps of workflows by what happened in them.",
    "stuck": "List workflows that are blocked.",
    "replay": "Replay histories against today's code.",
    "install": "Download and verify the server's executable.",
    "wait": "Wait until a server is ready.",
    "reset": "Delete a server's state.",
    "metrics": "Show metrics of a server and its workers.",
    "trust": "Trust a project's settings and modules.",
    "gameday": "Practise an incident with hidden faults, and read a debrief.",
    "drill": "Try one question on your workflow: pause, stop, detect, hand over.",
    "observe": "Write configuration for Prometheus or the Datadog Agent.",
    "config": "Show the settings and where they come from.",
    "service": "Start a server at login.",
    "mcp": "Serve agents and editors (Model Context Protocol).",
    "completion": "Print the completion script of a shell.",
}
COMMANDS = {name: line for section in (*SECTIONS.values(), UNLISTED) for name, line in section.items()}
# Commands that a group has too.
SHARED = {
    "trace": "workflow.trace",
    "search": "workflow.search",
    "stuck": "workflow.stuck",
    "replay": "workflow.replay",
    "install": "binary.install",
}
EPILOG = """
\b
Also: trace, search, stuck, replay (as in `workflow`), install (as in `binary`),
wait, reset, trust, config (a project's settings), metrics, observe (Prometheus
and Datadog), gameday (practise an incident), drill (pause, stop, detect, hand
over), mcp (for agents and editors), service (starts at login),
completion bash|zsh|fish.
"""


class RootGroup(LazyGroup):
    """The group of all commands; it also ends quietly when the reader of the output leaves."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as any group does, after `version` has become `--version`."""
        return super().parse_args(ctx, ["--version"] if args == ["version"] else in_order(args))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options and show --help; NO_COLOR turns colors off (https://no-color.org)."""
        with _output_may_end():
            return super().make_context(*args, color=output_colour(), **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _output_may_end():
            return super().invoke(ctx)


@contextlib.contextmanager
def _output_may_end() -> Iterator[None]:
    """End quietly when the reader of the output (head, a pager) leaves; a full disk is an error."""
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
            f"cannot write the output: {error.strerror}", hint="it is incomplete: free some space and run this again"
        ) from None


@click.group(
    cls=RootGroup,
    package=__package__,
    sections=SECTIONS,
    unlisted=UNLISTED,
    modules=SHARED,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(None, "-V", "--version", package_name="temporal-devserver")
def devserver() -> None:
    """A real, durable, fast Temporal server in one command.

    `devserver up` starts it, Ctrl-C stops it, and its state survives restarts.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    try:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in the background of a script
            signal.signal(signal.SIGINT, signal.default_int_handler)  # `__main__` has set another one
        code = run(args)
    except KeyboardInterrupt:  # before the command or after it
        code = EXIT_INTERRUPTED
    except SystemExit as error:  # raised by click after it has completed words for a shell
        code = error.code if isinstance(error.code, int) else 1
    if "temporalio.bridge" in sys.modules:
        _leave(code)
    gc.freeze()  # at its end the interpreter would look for garbage in all modules
    sys.exit(code)


def _leave(code: int) -> None:
    """Exit at once: threads of the SDK sometimes abort the interpreter during its shutdown."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run a command; the exit code as docs/json.md lists them."""
    if COMMAND_LOG not in os.environ:
        return _run(args)
    from ..system.command_log import CommandLog

    log = CommandLog.begin(sys.argv[1:] if args is None else args, os.environ)
    code = _run(args)
    if log is not None:
        log.end(code)
    return code


def _run(args: Sequence[str] | None) -> int:
    if COMPLETE in os.environ:
        from .options.shell_completion import register

        register()
    try:
        words = sys.argv[1:] if args is None else args
        if words[:1] != ["doctor"]:  # it reports everything that is wrong
            require_ours()
        if sys.platform == "win32":
            from .windows import refuse_on_windows

            refuse_on_windows(words)
        name = program_name()
        result = devserver.main(args=args, prog_name=name, complete_var=COMPLETE, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        masked(with_advice(error)).show()
        return error.exit_code
    except DevServerError as error:
        show(as_typed(error, sys.argv[1:] if args is None else args))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last place that can turn a bug into a report
        return _failed(error, sys.argv[1:] if args is None else args)


def _failed(error: Exception, args: Sequence[str]) -> int:
    """An exception that no command expects: an argument that no system call takes, or else a bug of devserver."""
    wrong = unusable(error, args)
    if wrong is not None:
        show(wrong)
        return wrong.exit_code
    from .render.bug_report import report

    report(error)
    return EXIT_BUG
