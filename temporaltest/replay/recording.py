"""Histories as files: what a test's workflows did, and where their code is."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from ..reports.files import file_name
from ..workflows.executions import RunHistory
from . import replay
from .scrub import Scrubber

FORMAT = 1


@dataclass(frozen=True)
class Recording:
    """One run of a workflow. `module` and `qualname` name its class, `file` the module's file from the rootdir.

    Where it ran for a scope, `scope` says which, and `test` names its fixture.
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
        """As it is written."""
        content = asdict(self)
        if self.scope is None:
            del content["scope"]
        content["history"] = json.loads(json.dumps(content.pop("history"), sort_keys=True))
        return json.dumps(content, indent=1) + "\n"

    @property
    def ran(self) -> RunHistory:
        """In the form that is replayed."""
        return RunHistory(WorkflowHistory.from_json(self.workflow_id, dict(self.history)), "")


@dataclass(frozen=True)
class Source:
    """The test, or the fixture of a scope, that is recorded.

    `words` are texts that differ from run to run, and what stands for each.
    """

    test: str
    root: Path
    prefix: str
    words: Mapping[str, str]
    scope: str | None = None


async def record(
    source: Source, runs: Sequence[RunHistory], codes: Sequence[replay.Code], *, scrub: bool
) -> list[tuple[str, str]]:
    """Names of files and their texts, for every run whose code is known."""
    found: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    scrubber = Scrubber(source.words)
    for ran in runs:
        code = next((each for each in reversed(codes) if each.runs(ran)), None)
        if code is None:
            continue
        name = ran.id.removeprefix(source.prefix)
        recording = _recording(source, ran, code.kind_of(ran))
        if scrub:
            # What else ran for a scope differs from one of xdist's workers to the next, so ids are counted anew.
            scrubber = Scrubber(source.words) if source.scope else scrubber
            name = scrubber.text(name)
            recording = await _scrubbed(recording, scrubber, codes, source)
        counts[name] = counts.get(name, 0) + 1
        number = f".{counts[name]}" if counts[name] > 1 else ""
        found.append((f"{file_name(source.test)}/{file_name(name)}{number}.json", recording.to_text()))
    return found


def _recording(source: Source, ran: RunHistory, kind: type) -> Recording:
    return Recording(
        test=source.test,
        workflow_id=ran.id,
        workflow_type=ran.workflow_type,
        module=kind.__module__,
        qualname=kind.__qualname__,
        file=_file(kind, source.root),
        scrubbed="no",
        history=ran.history.to_json_dict(),
        scope=source.scope,
    )


def _file(kind: type, root: Path) -> str | None:
    try:
        return Path(inspect.getfile(kind)).resolve().relative_to(root.resolve()).as_posix()
    except (TypeError, OSError, ValueError):
        return None  # a module that is installed, or that has no file, is found by its name


async def _scrubbed(
    recording: Recording, scrubber: Scrubber, codes: Sequence[replay.Code], source: Source
) -> Recording:
    """Without what differs from run to run, but only as far as it still replays."""
    thorough = _with(recording, scrubber, "yes")
    if all(each.divergence is None for each in await replay.replay_all(codes, [thorough.ran])):
        return thorough
    return _with(recording, Scrubber(source.words, thorough=False), "partly: it decides by its times or ids")


def _with(recording: Recording, scrubber: Scrubber, how: str) -> Recording:
    fields = {**asdict(recording), "scrubbed": how, "history": scrubber.history(recording.history)}
    return Recording(**{**fields, "workflow_id": scrubber.text(recording.workflow_id)})
