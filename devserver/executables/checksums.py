"""The SHA-256 that an executable must have: the pinned one, the accepted one, or else the first one seen."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..errors import ChecksumMismatch
from ..system.files import sha256_of, write_private
from ..system.progress import Reporter
from ..system.redact import without_user
from .models import Goal


def check(goal: Goal, path: Path, *, origin: str, store: Path, reporter: Reporter) -> str:
    """Hash an executable before it is installed, and delete it if the hash is not the expected one.

    Args:
        goal: The executable to install.
        path: The file, in one of our temporary folders.
        origin: Where it came from, for messages.
        store: The store, which has the first hashes of versions without a pin.
        reporter: Receives a warning for a version without a pin.

    Returns:
        The hash, in hex.

    Raises:
        ChecksumMismatch: The hash is not the expected one.
    """
    found = sha256_of(path)
    if goal.expects(found):
        return found
    before = seen_sha256(goal, store) if goal.pinned_sha256 is None and goal.accept is None else None
    if goal.pinned_sha256 is None and goal.accept is None and before in (None, found):
        if before is None:
            reporter.note(
                f"temporal {goal.version} for {goal.platform.key} has no pinned SHA-256; "
                f"trusting the one from {origin}: {found}"
            )
        return found
    path.unlink()
    raise mismatch(goal, found, origin=origin, before=before)


def remember(goal: Goal, sha256: str, store: Path) -> None:
    """Write the first hash of a version without a pin: later downloads must have the same.

    An accepted hash is not written: it counts for the request that accepts it.
    """
    if goal.pinned_sha256 is None and goal.accept is None:
        seen = {**_seen(goal, store), _service(goal): sha256}
        write_private(_seen_file(goal, store), json.dumps(seen, indent=2) + "\n")


def acceptable(goal: Goal, store: Path) -> list[str]:
    """The hashes that the executable may have: the accepted and the pinned one, or else the first one seen."""
    known = [value for value in (goal.accept, goal.pinned_sha256) if value is not None]
    seen = None if known else seen_sha256(goal, store)
    return known if seen is None else [seen]


def seen_sha256(goal: Goal, store: Path) -> str | None:
    """The first hash of this version from this download service; None before the first installation."""
    return _seen(goal, store).get(_service(goal))


def mismatch(
    goal: Goal, found: str, *, origin: str, before: str | None = None, deleted: bool = True
) -> ChecksumMismatch:
    """The error for an unexpected hash."""
    expected = [f"expected: {value} ({why})" for value, why in _expected(goal, before) if value]
    return ChecksumMismatch(
        f"temporal {goal.version} from {origin} is not the expected executable"
        + ("; it was deleted and not run" if deleted else "; it was not run"),
        details=[
            *expected,
            f"found:    {found}",
            "likely cause: a mirror or proxy that serves another build; at worst, tampering",
        ],
        hint="1. try another source, such as --source wheel or --source release; "
        f"2. if you trust this build: --accept-sha256 {found}",
    )


def _expected(goal: Goal, before: str | None) -> list[tuple[str | None, str]]:
    return [
        (goal.pinned_sha256, f"pinned for {goal.platform.key}"),
        (goal.accept, "accepted by you"),
        (before, "of the first installation of this version from there"),
    ]


def _service(goal: Goal) -> str:
    """The download service, without credentials: what a mirror of one project has says nothing to another project."""
    return without_user((goal.request.base_url or "").rstrip("/"))


def _seen_file(goal: Goal, store: Path) -> Path:
    return store / f".{goal.key}.seen"


def _seen(goal: Goal, store: Path) -> dict[str, str]:
    """Download service -> hash, as far as the file can be read."""
    try:
        data = json.loads(_seen_file(goal, store).read_bytes())
    except (OSError, ValueError):
        return {}
    entries = data.items() if isinstance(data, dict) else ()
    return {service: sha256 for service, sha256 in entries if re.fullmatch(r"[0-9a-f]{64}", str(sha256))}
