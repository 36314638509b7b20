"""Stored histories, replayed against today's code."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio import worker as sdk
from temporalio.client import WorkflowHistory

from ..errors import ReplayFailed, SetupError
from ..workers import sandbox
from ..workers.background_loop import BackgroundLoop
from ..workflows.executions import RunHistory
from . import replay
from .recording import FORMAT, Recording
from .watched_replayer import Definition

if TYPE_CHECKING:
    from ..isolation.session import Session

LIMIT = 60.0
ADVICE = (
    "the code has changed in a way that its past does not fit: keep the old way for old runs with workflow.patched(), "
    "or record anew if no run of the old code is left"
)


def files_of(folder: Path) -> list[Path]:
    """The recordings in a folder, or the one file that it is.

    Raises:
        SetupError: There are none; a replay of nothing proves nothing.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise SetupError(f"there is no folder {folder} to replay from; make it with pytest --temporal-record {folder}")
    found = sorted(folder.rglob("*.json"))
    if not found:
        raise SetupError(f"{folder} holds no recordings (*.json); make some with pytest --temporal-record {folder}")
    return found


def read(path: Path) -> Recording:
    """A recording; also a history as the Temporal CLI and Web UI save it, which does not say where its code is.

    Raises:
        SetupError: It cannot be read; says why.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.get("format", FORMAT) > FORMAT:
            raise SetupError(f"{path} was recorded by a newer version of temporal-devserver")
        recording = _plain(path, content) if "events" in content else _known(content)
        if not recording.workflow_type or recording.ran.workflow_type != recording.workflow_type:
            raise ValueError("its history does not begin with the start of a workflow")
    except SetupError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a file, it is the file
        raise SetupError(f"{path} is no recording of a workflow: {type(error).__name__}: {error}") from None
    return recording


def _known(content: Mapping[str, Any]) -> Recording:
    known = {each.name for each in fields(Recording)}
    return Recording(**{key: value for key, value in content.items() if key in known})


def _plain(path: Path, content: Mapping[str, Any]) -> Recording:
    ran = RunHistory(WorkflowHistory.from_json(path.stem, dict(content)), "")
    start = ran.history.events[0].workflow_execution_started_event_attributes
    return Recording("", start.workflow_id or path.stem, ran.workflow_type, "", "", None, "no", content)


def replay_files(
    paths: Sequence[Path],
    root: Path,
    workflows: Sequence[type] | None,
    options: Mapping[str, Any],
    loop: BackgroundLoop,
) -> None:
    """Replay recordings; against `workflows`, or, if None, against the classes that they name.

    Raises:
        ReplayFailed: Some do not replay; says which, and where each leaves its history.
        SetupError: One cannot be read, or its workflow is not known; says why.
    """
    divergences = []
    for path in paths:
        recording = read(path)
        kind = (
            _class_of(_shown(path, root), recording, root)
            if workflows is None
            else _one_of(_shown(path, root), recording, workflows)
        )
        code = replay.Code(None, {Definition.must_from_class(kind).name: kind}, {**_defaults(kind), **options})
        replayed = loop.run(replay.replay(code, [recording.ran]), LIMIT)
        divergences += [f"{_shown(path, root)}: {each.divergence}" for each in replayed if each.divergence is not None]
    if divergences:
        raise ReplayFailed("\n".join([*divergences, ADVICE]))


def options_of(client_options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a client's options a replay needs."""
    options: dict[str, Any] = {
        "interceptors": [each for each in client_options.get("interceptors", ()) if isinstance(each, sdk.Interceptor)],
        "plugins": [each for each in client_options.get("plugins", ()) if isinstance(each, sdk.Plugin)],
    }
    if "data_converter" in client_options:
        options["data_converter"] = client_options["data_converter"]
    return options


def _defaults(kind: type) -> dict[str, Any]:
    return {"workflow_runner": sandbox.runner([kind]), "workflow_failure_exception_types": [Exception]}


def _one_of(shown: str, recording: Recording, workflows: Sequence[type]) -> type:
    kinds = replay.kinds_of(workflows)
    found = kinds.get(recording.workflow_type, kinds.get(None))
    if found is None:
        known = ", ".join(str(name) for name in kinds)
        raise SetupError(
            f"{shown} is of the workflow type {recording.workflow_type!r}, not one of the given: {known}\n"
            "add its class to workflows=[...]; without workflows, each recording finds its own"
        )
    return found


def _class_of(shown: str, recording: Recording, root: Path) -> type:
    """The class that a recording names, imported as pytest would import it."""
    what = f"{shown} is of the workflow type {recording.workflow_type!r}"
    if not recording.module:
        raise SetupError(f"{what} and does not say where its code is; use temporal_replay(..., workflows=[...])")
    try:
        found: Any = _import(recording, root)
        for name in recording.qualname.split("."):
            found = getattr(found, name)
    except Exception as error:  # noqa: BLE001 - user's code is imported
        wanted = f"{recording.module}:{recording.qualname}"
        raise SetupError(
            f"{what}, whose class {wanted} cannot be imported: {type(error).__name__}: {error}\n"
            "if it has moved, record anew; if it is gone, delete the recording"
        ) from None
    definition = Definition.from_class(found) if isinstance(found, type) else None
    if definition is None or definition.name not in (None, recording.workflow_type):
        raise SetupError(f"{what}, which {recording.module}:{recording.qualname} is not any more")
    return definition.cls


def _import(recording: Recording, root: Path) -> Any:
    """The module; the folder that its file's imports begin at is put on the path, as pytest does with tests."""
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
    """What the fixture `temporal_replay` gives."""

    def __init__(self, root: Path, client_options: Mapping[str, Any], session: Session) -> None:
        self._root = root
        self._options = options_of(client_options)
        self._session = session

    def __call__(self, folder: str | Path, workflows: Sequence[type] | None = None, **options: Any) -> list[Path]:
        """Replay every history of a folder; which files these were. `options` are those of the SDK's `Replayer`.

        Raises:
            ReplayFailed: Some do not replay; says which, and where each leaves its history.
            SetupError: There are none, one cannot be read, or its workflow is not known; says why.
        """
        paths = files_of(self._root / folder)
        replay_files(paths, self._root, workflows, {**self._options, **options}, self._session.loop)
        return paths
