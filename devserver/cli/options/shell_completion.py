"""Shell completion with a user's module or server: silent, limited in time, and never an error in the shell."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import threading
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import TypeVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

T = TypeVar("T")

SECONDS = 3.0
SECONDS_VARIABLE = "_DEVSERVER_COMPLETE_SECONDS"  # for a machine that is too slow for that
PLAIN_WORD = re.compile(r"(?![~=])[\w.:@%+=,/~-]*")  # nothing that bash, zsh or fish evaluates or splits


class TooLong(BaseException):
    """The call takes too long. No `except Exception` in the module catches this."""


def quietly(call: Callable[[], T]) -> T | None:
    """The result of `call`; None if it raises or takes too long. Its output is discarded."""
    bounded = threading.current_thread() is threading.main_thread()

    def over(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, over) if bounded else None
    try:
        if bounded:
            signal.setitimer(signal.ITIMER_REAL, _seconds())
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return call()
    except (Exception, TooLong):  # noqa: BLE001 - a shell that completes shows nothing rather than an error
        return None
    finally:
        if bounded:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _seconds() -> float:
    try:
        return float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    except ValueError:
        return SECONDS


def may_import(module: str) -> bool:
    """Whether completion may import a module: only in a project that the user trusts (`devserver trust`).

    A shell completes while a user only looks around, so nothing of a stranger's checkout may run.

    Args:
        module: The module as it is typed, a file or a dotted name.
    """
    from ...config.trust import TrustStore
    from ...system.paths import Paths

    store = TrustStore(Paths.default())
    files = _files_of(module)
    return bool(files) and store.covers(Path()) and all(store.covers(file) for file in files)


def _files_of(module: str) -> list[Path]:
    """The files that the module may be imported from; none for a module that is elsewhere, such as an installed one."""
    if module.endswith(".py") or "/" in module:
        return [Path(module), *_packages_of(Path(module).resolve())]
    places = [Path(root, *module.split(".")) for root in ("", "src")]
    return [file for place in places for file in (place, place.with_name(f"{place.name}.py")) if file.exists()]


def _packages_of(file: Path) -> list[Path]:
    """The packages that the file is part of, whose code is imported before it; they may lie above its project."""
    above = takewhile(lambda folder: (folder / "__init__.py").is_file(), file.parents)
    return [folder / "__init__.py" for folder in above]


class SafeCompletion(ShellComplete):
    """Completion that puts nothing on the command line which a shell would take for more than a word.

    What is offered may be a stranger's: names of files in a checkout, ids of workflows on a server. bash and zsh put a
    word as it is, so `$(touch x).py` would run when Return is pressed. Such words are left out, and so are those that
    the command would take for an option: a file `--data-converter=x.py`, a workflow id `--address=x`.
    """

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """The completions as click finds them, without those that a shell would evaluate or split.

        None where finding them fails or takes too long, as in a folder that cannot be read or is a whole disk.
        """
        found = quietly(lambda: super(SafeCompletion, self).get_completions(args, incomplete)) or []
        return [
            CompletionItem(item.value, type=item.type, help=_one_line(item.help))
            for item in found
            if item.type != "plain" or (PLAIN_WORD.fullmatch(item.value) and not _is_an_option(item.value, incomplete))
        ]


def _is_an_option(word: str, incomplete: str) -> bool:
    """Whether a word would become an option that the user did not begin to type."""
    return word.startswith("-") and not incomplete.startswith("-")


def _one_line(text: str | None) -> str | None:
    """A description without characters that end a line or move the cursor."""
    return None if text is None else "".join(character if character.isprintable() else " " for character in text)


class Bash(SafeCompletion, BashComplete):
    """Completion for bash, which splits words at colons: they are joined, and only the last part is returned."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the completed one, and that one."""
        args, incomplete = super().get_completion_args()
        words: list[str] = []
        for word in [*args, incomplete]:
            if words and (word == ":" or (words[-1].endswith(":") and words[-1] != ":")):
                words[-1] += word
            else:
                words.append(word)
        self._cut = len(words[-1].rpartition(":")[0]) + 1 if ":" in words[-1] else 0
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """Format as click does, without the part that bash has as another word."""
        return f"{item.type},{item.value[self._cut :]}"


class Zsh(SafeCompletion, ZshComplete):
    """Completion for zsh."""


class Fish(SafeCompletion, FishComplete):
    """Completion for fish."""


def register() -> None:
    """Register these for the shells."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)
