"""The command line of our own command, for a process of its own."""

from __future__ import annotations

import sys

# Without the current folder in the module search path: a project may contain anything.
_MAIN = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; sys.argv[0] = 'devserver'; "
    "from devserver.__main__ import main; main()"
)


def own_command(*words: str) -> list[str]:
    """The command line of `devserver WORDS`, with this interpreter."""
    return [sys.executable, "-c", _MAIN, *words]
