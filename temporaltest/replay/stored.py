"""Reads the files that are replayed: recordings, and histories as the Temporal CLI, the Web UI and SDKs save them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from devserver.history import HistoryFileError, read_history

from ..errors import SetupError
from ..workflows.executions import RunHistory
from .recording import FORMAT


@dataclass(frozen=True)
class StoredRecording:
    """A history of a file.

    Attributes:
        run: The run, as it is replayed.
        module, qualname: The workflow's class; empty if the file does not say where its code is.
        file: The file of the module, relative to pytest's rootdir; None if it is elsewhere.
    """

    run: RunHistory
    workflow_type: str
    module: str = ""
    qualname: str = ""
    file: str | None = None


def read(path: Path) -> StoredRecording:
    """A recording, or a history that does not say where its code is.

    Raises:
        SetupError: The file cannot be read; the message says why.
    """
    try:
        found = read_history(path)
    except HistoryFileError as error:
        raise SetupError(error.message) from None
    about = found.document
    form = about.get("format", FORMAT)
    if isinstance(form, int) and form > FORMAT:
        raise SetupError(f"{path} was recorded by a newer version of temporal-devserver")
    if not found.workflow_type:
        raise SetupError(f"{path} is no history of a workflow: its first event has no workflow type")
    if about.get("workflow_type", found.workflow_type) != found.workflow_type:
        raise SetupError(
            f"{path} is a recording of the workflow type {about['workflow_type']!r}, but its history is of "
            f"{found.workflow_type!r}"
        )
    run = RunHistory(WorkflowHistory(_text(about, "workflow_id") or found.workflow_id, found.events), "")
    file = _text(about, "file")
    return StoredRecording(run, found.workflow_type, _text(about, "module"), _text(about, "qualname"), file or None)


def _text(about: Mapping[str, Any], name: str) -> str:
    value = about.get(name)
    return value if isinstance(value, str) else ""
