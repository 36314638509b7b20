"""The ledger of side effects: durable, shared by processes, and cheap to import in any runbook.

Outside of a rehearsal, `effect` does nothing.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "DEVSERVER_LEDGER"  # the environment variable that names the ledger's file


@dataclass(frozen=True)
class Effect:
    """One side effect: `name` and `key` identify it; `at` is in seconds since the epoch.

    `workflow_id`, `activity`, `activity_id` and `attempt` are None if it did not happen in an activity.
    """

    at: float
    name: str
    key: str
    detail: dict[str, Any]
    workflow_id: str | None
    activity: str | None
    activity_id: str | None
    attempt: int | None
    pid: int


def effect(name: str, key: object = "", **detail: object) -> None:
    """Record a side effect that has just happened: a node was added, a mail was sent, a row was written.

    Call it right after the effect, in an activity or in a script. `name` and `key` together identify the effect: the
    same pair again means that the effect was repeated. The report shows `detail` (as JSON, or as text).
    The record is on disk when this returns, whatever is killed next.
    """
    file = os.environ.get(FILE)
    if file is None:
        return
    done = Effect(time.time(), name, str(key), detail, *_who(), os.getpid())
    # One write, so that a kill comes before or after it. The newline first: a full disk may have cut the line before.
    line = b"\n" + json.dumps(vars(done), default=str).encode() + b"\n"
    ledger = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(ledger, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file)
    finally:
        os.close(ledger)


def create(file: Path) -> None:
    """Create an empty ledger."""
    file.touch(0o600)


def read(file: Path, after: int = 0) -> list[Effect]:
    """The effects in the ledger in the order of writing, without the first `after`."""
    return [effect for line in file.read_bytes().split(b"\n") if (effect := _whole(line))][after:]


def _whole(line: bytes) -> Effect | None:
    """The effect of a line; None if the line is empty or incomplete."""
    try:
        return Effect(**json.loads(line))
    except ValueError:
        return None


def _who() -> tuple[str | None, str | None, str | None, int | None]:
    activity = sys.modules.get("temporalio.activity")  # never loaded in a script, and slow to load
    if activity is None or not activity.in_activity():
        return None, None, None, None
    info = activity.info()
    return info.workflow_id, info.activity_type, info.activity_id, info.attempt


def main(words: list[str]) -> int:
    """Record an effect from a shell: `python -m devserver.rehearsal.ledger NAME [KEY]`."""
    if not 1 <= len(words) <= 2:
        sys.stderr.write("usage: python -m devserver.rehearsal.ledger NAME [KEY]\n")
        return 2
    effect(*words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
