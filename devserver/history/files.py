"""Histories in files: the Web UI's download, `temporal workflow show --output json`, recordings, SDK test resources.

`read_history` reads one file, `find_histories` a file or a folder; `-` is standard input. Files may be compressed with
gzip, begin with a byte order mark, or be Protobuf. `history_json` has the forms of JSON that are read.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf.message import DecodeError
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import History, HistoryEvent

from ..errors import DevServerError
from .history_json import NotAHistory, parsed_events

STDIN = "-"
SUFFIXES = (".json", ".json.gz", ".bin", ".pb")
GZIP, BOMS = b"\x1f\x8b", {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MAX_BYTES = 1 << 30
MOST_LOOKED_AT = 50_000  # files and folders below a folder: more than a second


class HistoryFileError(DevServerError):
    """A file cannot be read, or is not the history of a workflow."""

    exit_code = 2


@dataclass(frozen=True)
class SavedHistory:
    """One history of a file.

    Attributes:
        source: The file's name, as it was given.
        workflow_id: Of the history's first event, else of the document, else the name of the file.
        run_id: The run's id; the name of the file if the history does not have it.
        workflow_type: The type of the workflow.
        document: What the document has in addition to its events: of a recording, the test and the place of the code.
    """

    source: str
    workflow_id: str
    run_id: str
    workflow_type: str
    events: Sequence[HistoryEvent] = field(repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class FoundHistories:
    """The histories of a file or a folder, and the files that are none: each with the reason."""

    histories: Sequence[SavedHistory]
    skipped: Sequence[str] = ()


def is_history_name(path: Path) -> bool:
    """Whether a file's name is that of a history: `*.json`, `*.json.gz`, `*.bin`, `*.pb`."""
    return path.name.lower().endswith(SUFFIXES)


def history_paths(folder: Path) -> list[Path]:
    """The files in a folder, and in those below it, whose names are those of histories.

    Raises:
        HistoryFileError: The folder has too many files to look at all.
    """
    found: list[Path] = []
    looked_at = 0
    for place, folders, names in os.walk(folder):  # folders that vanish or cannot be read are left out
        looked_at += len(folders) + len(names)
        if looked_at > MOST_LOOKED_AT:
            raise HistoryFileError(
                f"{folder} has more than {MOST_LOOKED_AT:,} files", hint="name the folder that has the histories"
            )
        found += [path for path in (Path(place, name) for name in names) if is_history_name(path) and path.is_file()]
    return sorted(found)


def find_histories(place: str | Path, stdin: BinaryIO | None = None) -> FoundHistories:
    """The histories of a file, of a folder and those below it, or of standard input if `place` is `-`.

    In a folder, files that are no histories are skipped, and said so.

    Raises:
        HistoryFileError: There is no history, or the file is none; the message says why.
    """
    if str(place) == STDIN:
        return FoundHistories([read_bytes(_standard_input(stdin), "standard input")])
    path = Path(place)
    if not _is_folder(path):
        return FoundHistories([read_history(path)])
    histories: list[SavedHistory] = []
    skipped: list[str] = []
    for file in history_paths(path):
        try:
            histories.append(read_history(file))
        except HistoryFileError as error:
            skipped.append(error.message)
    if not histories:
        raise HistoryFileError(
            f"{path} has no history of a workflow",
            details=skipped[:10],
            hint="files of histories end in .json, .json.gz, .bin or .pb; save one with `temporal workflow show "
            "--workflow-id ID --output json`",
        )
    return FoundHistories(histories, tuple(skipped))


def read_history(path: Path) -> SavedHistory:
    """The history of a file.

    Raises:
        HistoryFileError: The file cannot be read, or is no history; the message says why.
    """
    try:
        with path.open("rb") as file:
            if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
                raise HistoryFileError(f"{path} is a device, not a file", hint="use - for standard input")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a ValueError for a name with a zero byte
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HistoryFileError(f"cannot read {path}: {reason}") from None
    return read_bytes(data, str(path))


def read_bytes(data: bytes, source: str) -> SavedHistory:
    """The history of a file's content; `source` is its name.

    Raises:
        HistoryFileError: It is no history; the message says why.
    """
    try:
        content = _uncompressed(data)
        try:
            document = _document(content)
        except NotAHistory:
            events = _protobuf(content)
            if events is None:
                raise
            return _history(source, events, {})
        return _history(source, parsed_events(document), document)
    except NotAHistory as error:
        raise HistoryFileError(
            f"{source} {error}", hint="save a history with `temporal workflow show --workflow-id ID --output json`"
        ) from None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # no name of a file at all: reading it says so
        return False


def _standard_input(stdin: BinaryIO | None) -> bytes:
    source = stdin if stdin is not None else sys.stdin.buffer
    return source.read(MAX_BYTES + 1)


def _uncompressed(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise NotAHistory("is larger than 1 GB")
    if not data.startswith(GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotAHistory(f"cannot be uncompressed: {error}") from None
    if len(content) > MAX_BYTES:
        raise NotAHistory("is larger than 1 GB")
    return content


def _document(data: bytes) -> Any:
    encoding = next((name for mark, name in BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotAHistory(f"is neither JSON nor a history in Protobuf: byte {error.start} is not UTF-8") from None
    if not text.strip():
        raise NotAHistory("is empty")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotAHistory(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise NotAHistory("is no history: its JSON is nested too deep") from None


def _protobuf(data: bytes) -> list[HistoryEvent] | None:
    try:
        events = list(History.FromString(data).events)
    except DecodeError:
        return None
    begins = bool(events) and events[0].HasField("workflow_execution_started_event_attributes")
    return events if begins else None


def _history(source: str, events: Sequence[HistoryEvent], document: Any) -> SavedHistory:
    about = {}
    if isinstance(document, dict):
        about = {key: value for key, value in document.items() if key not in ("events", "history")}
    start = events[0].workflow_execution_started_event_attributes
    name = Path(source).name
    stem = next((name[: -len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)), name)
    return SavedHistory(
        source=source,
        workflow_id=start.workflow_id or _text(about, "workflow_id", "workflowId") or stem,
        run_id=_run_id(events) or stem,
        workflow_type=start.workflow_type.name,
        events=events,
        document=about,
    )


def _text(about: Mapping[str, Any], *names: str) -> str:
    return next((about[name] for name in names if isinstance(about.get(name), str) and about[name]), "")


def _run_id(events: Sequence[HistoryEvent]) -> str:
    """The run's id: of the last reset, which keeps the first event of the run before it, else of the first event."""
    return next(_run_ids(events), "")


def _run_ids(events: Sequence[HistoryEvent]) -> Iterator[str]:
    for event in reversed(events):
        failed = event.workflow_task_failed_event_attributes
        if failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW and failed.new_run_id:
            yield failed.new_run_id
    start = events[0].workflow_execution_started_event_attributes
    yield from (run_id for run_id in (start.original_execution_run_id, start.first_execution_run_id) if run_id)
