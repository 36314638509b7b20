"""The ledger of real side effects: durable, shared by processes, and light enough to be imported by any runbook.

Where no rehearsal runs, `effect` does nothing.
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
    """One side effect: `name` and `key` say which, `at` (seconds since the epoch) when, the rest who.

    `workflow_id`, `activity`, `activity_id` and `attempt` are None where no activity did it.
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
    """Note that a side effect has just happened: a node was added, a mail sent, a row written.

    Call it right after the effect, in an activity or in a script. `name` and `key` together say which effect it was:
    the same two once more is the same effect done twice. `detail` is shown in the report (JSON, or else its text).
    It is on disk when this returns, whatever is killed next.
    """
    file = os.environ.get(FILE)
    if file is None:
        return
    done = Effect(time.time(), name, str(key), detail, *_who(), os.getpid())
    # One call that a kill comes before or after. The empty line parts it from one that a full disk has cut.
    line = b"\n" + json.dumps(vars(done), default=str).encode() + b"\n"
    ledger = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(ledger, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file)
    finally:
        os.close(ledger)


def create(file: Path) -> None:
    """Make an empty ledger."""
    file.touch(0o600)


def read(file: Path, after: int = 0) -> list[Effect]:
    """What is in the ledger, in the order in which it was written, without the first `after` ones."""
    return [effect for line in file.read_bytes().split(b"\n") if (effect := _whole(line))][after:]


def _whole(line: bytes) -> Effect | None:
    """None: it is empty, or not all of it is there."""
    try:
        return Effect(**json.loads(line))
    except ValueError:
        return None


def _who() -> tuple[str | None, str | None, str | None, int | None]:
    activity = sys.modules.get("temporalio.activity")  # a script has none, and loading it takes long
    if activity is None or not activity.in_activity():
        return None, None, None, None
    info = activity.info()
    return info.workflow_id, info.activity_type, info.activity_id, info.attempt


def main(words: list[str]) -> int:
    """Note an effect from a shell: `python -m devserver.rehearsal.ledger NAME [KEY]`."""
    if not 1 <= len(words) <= 2:
        sys.stderr.write("usage: python -m devserver.rehearsal.ledger NAME [KEY]\n")
        return 2
    effect(*words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
