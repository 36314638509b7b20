"""What users of one container and its keeper both know: its folder, its lock, its record, who is who."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil

from devserver import Paths

RECORD = "record.json"
GRPC, HTTP, UI = 7233, 7243, 8233  # in the container


def folder_of(name: str) -> Path:
    """The folder of the container of that name: leases, record and the keeper's log."""
    return Paths.default().state / "containers" / name


def lock_path(folder: Path) -> Path:
    """The lock of whoever starts or ends the container of that folder."""
    return folder.with_name(f"{folder.name}.lock")


def read(folder: Path) -> dict[str, Any] | None:
    """The record of the container that answers, if there is one."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return record


def write(folder: Path, record: dict[str, Any]) -> None:
    """Write the record as a whole."""
    aside = folder / f".{RECORD}.tmp"
    aside.write_text(json.dumps(record))
    aside.replace(folder / RECORD)


def identity(pid: int) -> list[float]:
    """A process that cannot be mistaken for another: its pid and its start."""
    return [pid, psutil.Process(pid).create_time()]


def lives(who: list[float]) -> bool:
    """Whether that very process lives."""
    try:
        process = psutil.Process(int(who[0]))
        return process.create_time() == who[1] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
