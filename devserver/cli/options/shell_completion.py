"""Completion of what a user's module has: quiet, for a short time only, and never an error in the shell."""

from __future__ import annotations

import contextlib
import io
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

T = TypeVar("T")

SECONDS = 3.0


class TooLong(BaseException):
    """The module takes too long; no `except Exception` of its own stops this."""


def quietly(call: Callable[[], T]) -> T | None:
    """What `call` gives; None when it raises or takes too long. What it prints is dropped."""
    bounded = threading.current_thread() is threading.main_thread()

    def over(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, over) if bounded else None
    try:
        if bounded:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return call()
    except (Exception, TooLong):  # noqa: BLE001 - a shell that completes shows nothing rather than an error
        return None
    finally:
        if bounded:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class Bash(BashComplete):
    """Bash splits words at colons: they are put together again, and what comes back is the part after the last one."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
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
        """As click does, without what bash takes for another word."""
        return f"{item.type},{item.value[self._cut :]}"


def register() -> None:
    """Have bash completed this way."""
    add_completion_class(Bash)
