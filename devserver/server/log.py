"""A server's log file."""

from __future__ import annotations

from pathlib import Path

LOG = "server.log"


RUN_MARK = "--- devserver starts"  # the line in a log at which a run begins


def log_tail(
    path: Path, lines: int = 12, *, end: int | None = None, most: int = 64_000, all_runs: bool = False
) -> list[str]:
    """The last lines of a log (before the position `end`), of the latest run unless `all_runs` are wanted; empty
    where there is none.
    """
    try:
        with path.open("rb") as file:
            last = file.seek(0, 2) if end is None else end
            first = file.seek(max(0, last - most))
            text = file.read(last - first).decode("utf-8", "replace")
    except OSError:
        return []
    found = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not all_runs:
        starts = [index for index, line in enumerate(found) if line.startswith(RUN_MARK)]
        found = found[starts[-1] + 1 :] if starts else found
    return found[-lines:] if lines else []
