"""`temporal_replay`: recorded histories, replayed against the current code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio import worker as sdk
from temporalio import workflow

from devserver.history import HistoryFileError, history_paths
from devserver.replay import WorkflowCode, replay

from ..errors import ReplayFailed, SetupError
from ..workers import sandbox
from ..workers.background_loop import BackgroundLoop
from .stored import StoredRecording, read

if TYPE_CHECKING:
    from ..isolation.session import Session

LIMIT = 60.0
ADVICE = (
    "the code changed in a way that does not match its past: keep the old behavior for old runs with "
    "workflow.patched(), or record again if no run of the old code is left"
)
Definition = workflow._Definition


def files_of(folder: Path) -> list[Path]:
    """The recordings in a folder; a file is itself the one recording.

    Raises:
        SetupError: There are none, or too many files to look at. Replaying nothing proves nothing.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise SetupError(
            f"there is no folder {folder} to replay from; create it with pytest --temporal-record {folder}"
        )
    try:
        paths = history_paths(folder)
    except HistoryFileError as error:
        raise SetupError(f"{error.message}; {error.hint}") from None
    if not paths:
        raise SetupError(
            f"{folder} has no recordings (*.json, *.json.gz); create some with pytest --temporal-record {folder}"
        )
    return paths


def replay_files(
    paths: Sequence[Path],
    root: Path,
    workflows: Sequence[type] | None,
    options: Mapping[str, Any],
    loop: BackgroundLoop,
    *,
    others: Sequence[type] = (),
) -> None:
    """Replay recordings against `workflows`, or, if None, against the classes that the recordings name.

    Args:
        others: The classes for histories that do not say where their code is.

    Raises:
        ReplayFailed: Some do not replay; the message says which, and where each leaves its history.
        SetupError: A recording cannot be read, or its workflow is unknown; the message says why.
    """
    divergences = []
    for path in paths:
        recording = read(path)
        name = _shown(path, root)
        classes = others if workflows is None and others and not recording.module else workflows
        found = _imported_class(name, recording, root) if classes is None else _one_of(name, recording, classes)
        code = WorkflowCode.of_classes([found], **{**_defaults(found), **options})
        (result,) = loop.run(replay([recording.run.history], code), LIMIT)
        divergences += [f"{name}: {result.divergence}"] if result.divergence is not None else []
    if divergences:
        raise ReplayFailed("\n".join([*divergences, ADVICE]))


def options_of(client_options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a client that a replay needs too."""
    interceptors, plugins = client_options.get("interceptors", ()), client_options.get("plugins", ())
    options: dict[str, Any] = {
        "interceptors": [interceptor for interceptor in interceptors if isinstance(interceptor, sdk.Interceptor)],
        "plugins": [plugin for plugin in plugins if isinstance(plugin, sdk.Plugin)],
    }
    if "data_converter" in client_options:
        options["data_converter"] = client_options["data_converter"]
    return options


def _defaults(workflow_class: type) -> dict[str, Any]:
    return {"workflow_runner": sandbox.runner([workflow_class]), "workflow_failure_exception_types": [Exception]}


def _one_of(name: str, recording: StoredRecording, workflows: Sequence[type]) -> type:
    code = WorkflowCode.of_classes(workflows)
    if not code.has(recording.workflow_type):
        known = ", ".join(str(workflow_type) for workflow_type in code.workflows)
        raise SetupError(
            f"{name} has the workflow type {recording.workflow_type!r}, which none of the given classes has: {known}\n"
            "add its class to workflows=[...] or --temporal-replay-module, or leave workflows out: then each recording "
            "finds its own"
        )
    return code.class_of(recording.workflow_type)


def _imported_class(name: str, recording: StoredRecording, root: Path) -> type:
    """The class that a recording names, imported as pytest imports it."""
    prefix = f"{name} has the workflow type {recording.workflow_type!r}"
    if not recording.module:
        raise SetupError(
            f"{prefix} and does not say where its code is; use --temporal-replay-module MODULE, or "
            "temporal_replay(..., workflows=[...])"
        )
    source = f"{recording.module}:{recording.qualname}"
    try:
        found: Any = _import(recording, root)
        for part in recording.qualname.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001 - user's code is imported
        raise SetupError(
            f"{prefix}, whose class {source} cannot be imported: {type(error).__name__}: {error}\n"
            "if it has moved, record again; if it no longer exists, delete the recording"
        ) from None
    definition = Definition.from_class(found) if isinstance(found, type) else None
    if definition is None or definition.name not in (None, recording.workflow_type):
        raise SetupError(f"{prefix}, which {source} no longer has")
    return definition.cls


def _import(recording: StoredRecording, root: Path) -> Any:
    """The module. The folder that its file's imports begin at is put on sys.path, as pytest does with tests."""
    if recording.module not in sys.modules and recording.file and (root / recording.file).exists():
        parts = recording.module.split(".")
        file = (root / recording.file).resolve()
        base = file.parents[len(parts) - (file.name != "__init__.py")]
        if str(base) not in sys.path:
            sys.path.insert(0, str(base))
    return importlib.import_module(recording.module)


def _shown(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return str(path)


class Replay:
    """The value of the fixture `temporal_replay`."""

    def __init__(self, root: Path, client_options: Mapping[str, Any], session: Session) -> None:
        self._root = root
        self._options = options_of(client_options)
        self._session = session

    def __call__(self, folder: str | Path, workflows: Sequence[type] | None = None, **options: Any) -> list[Path]:
        """Replay every history of a folder; returns the files. `options` are those of the SDK's `Replayer`.

        Raises:
            ReplayFailed: Some do not replay; the message says which, and where each leaves its history.
            SetupError: There are none, one cannot be read, or its workflow is unknown; the message says why.
        """
        paths = files_of(self._root / folder)
        replay_files(paths, self._root, workflows, {**self._options, **options}, self._session.loop)
        return paths
