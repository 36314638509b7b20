"""Commands on Windows: those that need what Windows does not have say so at once."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UnsupportedPlatform
from .program_name import USUAL

# They start, find or look after processes and locked files of a server.
NEED_POSIX = frozenset(
    {
        *("up", "down", "restart", "status", "list", "logs", "ui", "snapshot", "reset", "wait", "install", "temporal"),
        *("run", "rehearse", "gameday", "drill", "cluster", "service", "mcp", "replay"),
    }
)
HELP = {"--help", "-h", "help"}
HINT = (
    "use WSL 2, where everything works: run `wsl --install` once, then install temporal-devserver in the Linux that it "
    "gives you (see: devserver docs platforms)"
)


def refuse_on_windows(words: Sequence[str]) -> None:
    """On Windows: refuse a command that cannot work there; its help is shown.

    Raises:
        UnsupportedPlatform: It is one of these.
    """
    if not words or not HELP.isdisjoint(words):
        return
    name = words[1] if words[0] == "workflow" and words[1:] else words[0]
    if name in NEED_POSIX:
        raise UnsupportedPlatform(f"`{USUAL} {name}` runs on Linux and macOS, not on Windows itself", hint=HINT)
