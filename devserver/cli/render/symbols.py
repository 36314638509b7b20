"""The symbols of a trace: for each state and for the branches, also in ASCII."""

from __future__ import annotations

import sys

# How a state is shown, by sign and by colour; the second sign is for encodings that lack the first.
SIGNS = {
    "completed": ("✓", "+", "green"),
    "continued_as_new": ("✓", "+", "green"),
    "failed": ("✗", "x", "red"),
    "timed_out": ("✗", "x", "red"),
    "terminated": ("✗", "x", "red"),
    "rejected": ("✗", "x", "red"),
    "canceled": ("⊘", "-", "yellow"),
    "running": ("▸", ">", "cyan"),
    "unfinished": ("◌", "~", "yellow"),
    "scheduled": ("○", "o", "cyan"),
    "backing_off": ("↻", "!", "yellow"),
    "paused": ("‖", "=", "yellow"),
}
BRANCHES = ("├─ ", "└─ ", "│  ", "×", "→")  # noqa: RUF001 - it is meant
PLAIN_BRANCHES = ("|- ", "`- ", "|  ", "x", "->")


def shows_signs() -> bool:
    """Whether stdout's encoding has the signs."""
    try:
        "".join([*BRANCHES, *(sign for sign, _, _ in SIGNS.values())]).encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True
