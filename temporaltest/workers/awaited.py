"""What a test waits for."""

from __future__ import annotations

from typing import NamedTuple


class Awaited(NamedTuple):
    """The end of a workflow's run, an update of it, an answer of its worker (`is_call`), or the end of an activity.

    `activity_id` is the id of an activity that no workflow started; `run_id` is then its run.
    """

    workflow_id: str = ""
    run_id: str | None = None
    update_id: str | None = None
    is_call: bool = False
    activity_id: str = ""
