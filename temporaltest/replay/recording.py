"""Recordings: histories as files, with the test that made them and the place of their code."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from devserver.replay import Scrubber

from ..reports.files import file_name
from ..workflows.executions import RunHistory
from .worker_code import WorkerCode, replay_all

FORMAT = 1


@dataclass(frozen=True)
class Recording:
    """The recording of one run of a workflow.

    Attributes:
        test: The id of the test, or of the fixture if `scope` is set.
        module, qualname: The workflow's class.
        file: The file of the module, relative to pytest's rootdir; None if it is elsewhere.
        scrubbed: "yes", "no", or "partly: ..." with the reason.
        history: The history as JSON.
        scope: The scope of the fixture whose tests ran the workflow.
    """

    test: str
    workflow_id: str
    workflow_type: str
    module: str
    qualname: str
    file: str | None
    scrubbed: str
    history: Mapping[str, Any] = field(repr=False)
    format: int = FORMAT
    scope: str | None = None

    def to_text(self) -> str:
        """The content of the file."""
        content = asdict(self)
        if self.scope is None:
            del content["scope"]
        content["history"] = json.loads(json.dumps(content.pop("history"), sort_keys=True))
        return json.dumps(content, indent=1) + "\n"

    @cached_property
    def run(self) -> RunHistory:
        """The run, as it is replayed; converted once, because that takes half as long as a short replay."""
        return RunHistory(WorkflowHistory.from_json(self.workflow_id, dict(self.history)), "")


@dataclass(frozen=True)
class RecordedTest:
    """The test that is recorded, or the fixture of a scope.

    `prefix` is removed from workflow ids. `replacements` has texts that differ from run to run, such as the namespace,
    and what replaces each.
    """

    test: str
    root: Path
    prefix: str
    replacements: Mapping[str, str]
    scope: str | None = None


async def record(
    source: RecordedTest, runs: Sequence[RunHistory], codes: Sequence[WorkerCode], *, scrub: bool
) -> list[tuple[str, str]]:
    """Recordings of all runs whose code is known, as (file name, text)."""
    recordings: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    scrubber = Scrubber(source.replacements)
    for run in runs:
        code = next((code for code in reversed(codes) if code.runs(run)), None)
        if code is None:
            continue
        name = run.id.removeprefix(source.prefix)
        recording = _recording(source, run, code.code.class_of(run.workflow_type))
        if scrub:
            # Each xdist worker runs other tests of a scope, so ids are counted from 1 in every recording of a scope.
            scrubber = Scrubber(source.replacements) if source.scope else scrubber
            name = scrubber.text(name)
            recording = await _scrubbed(recording, scrubber, codes, source)
        counts[name] = counts.get(name, 0) + 1
        number = f".{counts[name]}" if counts[name] > 1 else ""
        recordings.append((f"{file_name(source.test)}/{file_name(name)}{number}.json", recording.to_text()))
    return recordings


def _recording(source: RecordedTest, run: RunHistory, workflow: type) -> Recording:
    return Recording(
        test=source.test,
        workflow_id=run.id,
        workflow_type=run.workflow_type,
        module=workflow.__module__,
        qualname=workflow.__qualname__,
        file=_file(workflow, source.root),
        scrubbed="no",
        history=run.history.to_json_dict(),
        scope=source.scope,
    )


def _file(workflow: type, root: Path) -> str | None:
    try:
        return Path(inspect.getfile(workflow)).resolve().relative_to(root.resolve()).as_posix()
    except (TypeError, OSError, ValueError):
        return None  # an installed module, or one without a file, is found by its name


async def _scrubbed(
    recording: Recording, scrubber: Scrubber, codes: Sequence[WorkerCode], source: RecordedTest
) -> Recording:
    """Without what differs from run to run, unless it no longer replays then."""
    thorough = _with(recording, scrubber, "yes")
    if all(result.divergence is None for result in await replay_all(codes, [thorough.run])):
        return thorough
    return _with(
        recording, Scrubber(source.replacements, thorough=False), "partly: the workflow decides by its times or ids"
    )


def _with(recording: Recording, scrubber: Scrubber, how: str) -> Recording:
    fields = {**asdict(recording), "scrubbed": how, "history": scrubber.history(recording.history)}
    return Recording(**{**fields, "workflow_id": scrubber.text(recording.workflow_id)})
