"""Which hash will do: the pinned one, the accepted one, or, where none is known, the one seen first."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import ChecksumMismatch
from ..system.files import sha256_of, write_private
from ..system.progress import Reporter
from .models import Goal


def check(goal: Goal, path: Path, *, origin: str, store: Path, reporter: Reporter) -> str:
    """Hash an executable that is about to be installed, and delete it if it is another than expected.

    Args:
        goal: What is wanted.
        path: The file, in a temporary folder of ours.
        origin: Where it came from, for the message.
        store: The store, which remembers the hashes of versions without a pin.
        reporter: Hears of a version without a pin.

    Returns:
        The hash.

    Raises:
        ChecksumMismatch: It is neither the pinned hash, nor the accepted one, nor the one seen before.
    """
    found = sha256_of(path)
    if goal.expects(found):
        return found
    before = _seen(goal, store) if goal.pin is None and goal.accept is None else None
    if goal.pin is None and goal.accept is None and before in (None, found):
        if before is None:
            reporter.warn(
                f"no SHA-256 is known beforehand for temporal {goal.version} on {goal.platform.key}; "
                f"trusting what {origin} gave: {found}"
            )
        return found
    path.unlink()
    raise mismatch(goal, found, origin=origin, before=before)


def remember(goal: Goal, sha256: str, store: Path) -> None:
    """Keep the hash of a version without a pin: a later download must give the same."""
    if goal.pin is None:
        write_private(_seen_file(goal, store), sha256 + "\n")


def mismatch(
    goal: Goal, found: str, *, origin: str, before: str | None = None, deleted: bool = True
) -> ChecksumMismatch:
    """The error for a hash that is another than expected."""
    expected = [f"expected: {value} ({why})" for value, why in _expected(goal, before) if value]
    return ChecksumMismatch(
        f"temporal {goal.version} from {origin} is not the executable that was expected"
        + ("; it was deleted and not run" if deleted else "; it was not run"),
        details=[
            *expected,
            f"found:    {found}",
            "likely cause: a mirror or proxy that serves another build, or someone's own; at worst, tampering",
        ],
        hint="1. try another source, such as --source wheel or --source release; "
        f"2. if you know this build and trust it: --accept-sha256 {found}",
    )


def _expected(goal: Goal, before: str | None) -> list[tuple[str | None, str]]:
    return [
        (goal.pin, f"pinned for {goal.platform.key}"),
        (goal.accept, "accepted by you"),
        (before, "seen when this version was first installed here"),
    ]


def _seen_file(goal: Goal, store: Path) -> Path:
    return store / f".{goal.key}.seen"


def _seen(goal: Goal, store: Path) -> str | None:
    try:
        text = _seen_file(goal, store).read_text().strip()
    except (OSError, ValueError):
        return None
    return text if re.fullmatch(r"[0-9a-f]{64}", text) else None
