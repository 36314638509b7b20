"""`temporal devserver COMMAND`: the Temporal CLI runs `temporal-devserver` as an extension, in ways of its own.

It puts its global options before the command, and on Ctrl-C it kills the extension at once, with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

DISTRIBUTION = "temporal-devserver"
EXTENSION = "temporal devserver"
TEMPORAL_CLI = "temporal"

# Of `temporal options`: the Temporal CLI takes them out of the words and puts them before the command.
WITH_VALUE = frozenset(
    {
        *("--client-connect-timeout", "--color", "--command-timeout", "--config-file", "--env", "--env-file"),
        *("--log-format", "--log-level", "--output", "-o", "--profile", "--time-format"),
    }
)
FLAGS = frozenset({"--disable-config-env", "--disable-config-file", "--no-json-shorthand-payloads"})


def in_order(args: Sequence[str]) -> list[str]:
    """The words with the global options of the Temporal CLI behind the command, where they were typed."""
    words = list(args)
    end = 0
    while end < len(words):
        name, equals, _ = words[end].partition("=")
        if name in WITH_VALUE:
            end += 1 if equals else 2
        elif name in FLAGS:
            end += 1
        else:
            break
    first, rest = words[:end], words[end:]
    if not first or not rest:
        return words
    # What follows `--` is data, except that of `devserver temporal`: it is a command of the Temporal CLI.
    at = rest.index("--") if "--" in rest and rest[0] != "temporal" else len(rest)
    return [*rest[:at], *first, *rest[at:]]


def adopt() -> None:
    """Where the Temporal CLI has started this process: continue in a grandchild that ends in its own time.

    This process, which the Temporal CLI kills, waits for a child that survives it. The child passes one signal on to
    the grandchild, which gets Ctrl-C from the terminal as well: a second signal would end a worker at once. The
    grandchild has the name `temporal devserver` as its `sys.argv[0]`. The exit code is passed on.
    """
    if os.path.basename(sys.argv[0]) != DISTRIBUTION or _parent() != TEMPORAL_CLI:  # noqa: PTH119 - pathlib is slow to import
        return
    starter = os.getpid()
    child = os.fork()
    if child:
        _wait_for(child)
    _ask_at_the_end_of(starter)
    grandchild = os.fork()
    if grandchild:
        _wait_for(grandchild)
    sys.argv[0] = EXTENSION


def _wait_for(child: int) -> NoReturn:
    """Pass signals on to a child, except Ctrl-C and what follows it, and exit as it does."""
    interrupted = False

    def on_signal(number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = interrupted or number == signal.SIGINT
        if not interrupted:
            os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _ask_at_the_end_of(parent: int) -> None:
    """Have the kernel send this process SIGTERM when its parent has ended (Linux)."""
    import ctypes

    from ..system.parent_death import PARENT_DEATH_SIGNAL

    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _parent() -> str | None:
    """The name of the parent process; None where there is no /proc."""
    try:
        with open(f"/proc/{os.getppid()}/comm") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        return None
