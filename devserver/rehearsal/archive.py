"""The record of past rehearsals of this user: a summary and the report of each call, the last ones only."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import getpid
from pathlib import Path
from typing import Any

from ..errors import FolderNotWritable
from ..system.files import private_folder, write_private
from ..system.paths import Paths
from ..system.timefmt import utc_for_names

MOST_RUNS = 200
MOST_BYTES = 100_000_000
SUMMARY = ".json"
REPORT = ".report.gz"
_ID = re.compile(r"[0-9TZ]{16}-[0-9]{1,10}\Z")
_FIGURES = ("recovery_seconds", "downtime_seconds", "idle_seconds", "attempts", "duplicate_effects")


@dataclass(frozen=True)
class PastRehearsal:
    """One scenario of a past call.

    Attributes:
        run: The id of the call.
        created: When it ended, in UTC.
        name, file, seed: The scenario.
        sweep: What was killed at each point; None for a run with its plan.
        verdict: `pass`, `fail` or `unknown`.
        summary: The verdict in a sentence.
        seconds: How long the runbook took; None if it did not end.
        expectations: The verdict and the evidence of each, by name.
        figures: Its main metrics, by the names of the report.
    """

    run: str
    created: str
    name: str
    file: str | None
    seed: int
    sweep: str | None
    verdict: str
    summary: str
    seconds: float | None
    expectations: Mapping[str, Sequence[str]]
    figures: Mapping[str, float]

    @property
    def scenario(self) -> tuple[str, str, str]:
        """The same for all runs of a scenario."""
        return self.file or "", self.name, self.sweep or ""


class RehearsalArchive:
    """The folder of past rehearsals.

    Args:
        paths: Where our files are.
    """

    def __init__(self, paths: Paths) -> None:
        self.folder = paths.past_rehearsals
        self._read: dict[str, tuple[PastRehearsal, ...]] = {}

    def add(self, report: Mapping[str, Any]) -> str | None:
        """Keep a report; its id, None if there is no room. The oldest ones are removed."""
        run = f"{utc_for_names()}-{getpid()}"
        rows = [_row(result) for result in report["results"]]
        if not rows:
            return None
        try:
            private_folder(self.folder)
            (self.folder / f"{run}{REPORT}").write_bytes(gzip.compress(json.dumps(report).encode(), 5))
            write_private(self.folder / f"{run}{SUMMARY}", json.dumps({"created": report["created"], "results": rows}))
        except (OSError, FolderNotWritable):
            self._remove(run)
            return None
        self._shrink()
        return run

    def all(self) -> list[PastRehearsal]:
        """All past rehearsals, the oldest first. What was read before is not read again."""
        names = self._names()
        self._read = {name: found for name, found in self._read.items() if name in names}
        for name in names:
            if name not in self._read:
                self._read[name] = self._rows(name)
        return [row for name in names for row in self._read[name]]

    def report(self, run: str) -> dict[str, Any] | None:
        """The report of a call; None if it is no longer there."""
        if not _ID.match(run):
            return None
        try:
            found: dict[str, Any] = json.loads(gzip.decompress((self.folder / f"{run}{REPORT}").read_bytes()))
        except (OSError, EOFError, ValueError, zlib.error):
            return None
        return found

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            names = (file.name.removesuffix(SUMMARY) for file in self.folder.glob(f"*{SUMMARY}"))
            return sorted(name for name in names if _ID.match(name))
        return []

    def _rows(self, run: str) -> tuple[PastRehearsal, ...]:
        try:
            found = json.loads((self.folder / f"{run}{SUMMARY}").read_text())
            return tuple(PastRehearsal(run=run, created=found["created"], **row) for row in found["results"])
        except (OSError, ValueError, TypeError, KeyError):
            return ()  # of another version, or damaged

    def _shrink(self) -> None:
        names = self._names()
        sizes = {name: self._size(name) for name in names}
        while len(names) > MOST_RUNS or (len(names) > 1 and sum(sizes[name] for name in names) > MOST_BYTES):
            self._remove(names.pop(0))

    def _size(self, run: str) -> int:
        with contextlib.suppress(OSError):
            return (self.folder / f"{run}{REPORT}").stat().st_size
        return 0

    def _remove(self, run: str) -> None:
        for suffix in (SUMMARY, REPORT):
            with contextlib.suppress(OSError):
                Path(self.folder / f"{run}{suffix}").unlink()


def _row(result: Mapping[str, Any]) -> dict[str, Any]:
    metrics = result["metrics"] or {}
    return {
        "name": result["name"],
        "file": result["file"],
        "seed": result["seed"],
        "sweep": result["sweep"]["target"] if result["sweep"] else None,
        "verdict": result["verdict"],
        "summary": result["summary"],
        "seconds": result["seconds"],
        "expectations": {item["name"]: [item["verdict"], item["evidence"]] for item in result["expectations"]},
        "figures": {name: metrics[name] for name in _FIGURES if isinstance(metrics.get(name), (int, float))},
    }
