"""Keeps histories as files, in the form that the Web UI and `temporal workflow show --output json` write."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from temporalio.client import WorkflowHistory

from ..system.files import write_whole
from .errors import ReplayError
from .outcomes import Candidate
from .replayer import WorkflowCode, replay
from .scrub import Scrubber

LONGEST_NAME = 120


class HistoryRecorder:
    """Writes each history to a file of its own: `TYPE/WORKFLOW_ID-RUN.json`.

    Args:
        folder: Where to write.
        scrub: Replace times, run ids and host names, so that the file does not change from run to run. Values of
            workflows stay: a replay needs them.
    """

    def __init__(self, folder: Path, *, scrub: bool) -> None:
        self._folder = folder
        self._scrub = scrub

    async def write(self, candidate: Candidate, history: WorkflowHistory, code: WorkflowCode) -> Path:
        """Write a history; its file.

        A workflow that decides by its times or ids would not replay any more without them: it keeps them.

        Raises:
            ReplayError: The file cannot be written.
        """
        data = history.to_json_dict()
        name = file_name(candidate.workflow_id)
        if self._scrub:
            scrubber = Scrubber({})
            scrubbed = scrubber.history(data)
            [again] = await replay([WorkflowHistory.from_json(candidate.workflow_id, scrubbed)], code)
            if again.divergence is not None:
                scrubber = Scrubber({}, thorough=False)
                scrubbed = scrubber.history(data)
            data, name = scrubbed, file_name(scrubber.text(candidate.workflow_id))
        if candidate.run_id:
            name += f"-{candidate.run_id[:8]}"
        path = self._folder / file_name(candidate.workflow_type) / f"{name}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole({path: json.dumps(data, indent=1) + "\n"})
        except OSError as error:
            raise ReplayError(
                f"cannot write the history {path}: {error.strerror}", hint="choose another folder with --record"
            ) from error
        return path


def file_name(text: str, readable: str | None = None) -> str:
    """A file name for any text: `readable`, or the text itself; with a hash, if its characters had to be replaced."""
    readable = text if readable is None else readable
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", readable).strip("-.")[:LONGEST_NAME]
    return name if name == readable else f"{name or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
