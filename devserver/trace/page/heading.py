"""The head of a trace's page: what the workflow was started with, how it ended, and its critical path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from temporalio.converter import DataConverter

from ...history.model import WorkflowRun
from ...history.previews import preview
from ...history.run_chain import RunChain
from ...system.timefmt import lasted
from ...system.web_ui import workflow_url
from .. import formatting
from ..critical_path import MOMENTS, CriticalStep, critical_path
from .failure_details import PageDetail, failure_detail

MOST_STEPS = 8
MAX_VALUE = 2000


class PageHeading:
    """Takes the runs of the workflow itself, the first one first."""

    def __init__(self, converter: DataConverter, now: datetime) -> None:
        self._converter = converter
        self._now = now
        self._input: PageDetail | None = None
        self._newest: list[PageDetail] = []

    async def add(self, run: WorkflowRun) -> None:
        """Add a run; what is shown of the end is that of the last one."""
        if run.missing:
            return
        if self._input is None and run.input:
            self._input = PageDetail("input", await preview(run.input, self._converter, MAX_VALUE))
        found = [PageDetail("task queue", run.task_queue)]
        if run.result:
            found.append(PageDetail("result", await preview(run.result, self._converter, MAX_VALUE)))
        if run.failure is not None:
            found.append(await failure_detail("failure", run.failure, self._converter, run.retry_state))
        elif run.reason:
            found.append(PageDetail("reason", run.reason))
        path = path_text(run, self._now + run.skipped)
        if path:
            found.append(PageDetail("critical path", path))
        self._newest = found

    @property
    def details(self) -> list[PageDetail]:
        """What the head shows, by name."""
        return [*([self._input] if self._input else ()), *self._newest]


def path_text(run: WorkflowRun, now: datetime) -> str:
    """`charge 1.2 s → ship 90 ms → signal go (waited 2 s): 97 % of the time`; empty if there is nothing to say."""
    path = critical_path(run, now)
    if not path.steps:
        return ""
    groups = [list(group) for _, group in groupby(path.steps, key=lambda item: (item.step.kind, item.step.name))]
    worth = sorted(range(len(groups)), key=lambda number: _time(groups[number]), reverse=True)[:MOST_STEPS]
    named = [_named(groups[number]) for number in sorted(worth)]
    left = len(groups) - len(named)
    more = f" (and {left:,} shorter)" if left else ""
    return f"{' → '.join(named)}{more}: {round(100 * path.share)} % of the time"


def _time(group: Sequence[CriticalStep]) -> timedelta:
    return sum((item.time for item in group), timedelta(0))


def _named(group: Sequence[CriticalStep]) -> str:
    """One step, or several of one name in a row."""
    first, time = group[0].step, lasted(_time(group))
    title = formatting.title(first)
    if len(group) > 1:
        title = f"{len(group):,} × {first.name or first.kind}"  # noqa: RUF001 - it is meant
    elif first.kind == "timer":
        return title
    return f"{title} (waited {time})" if first.kind in MOMENTS else f"{title} {time}"


def web_ui_link(ui: str | None, chain: RunChain) -> str | None:
    """The workflow in the Web UI; None without one."""
    if not ui or not ui.startswith(("http://", "https://")):
        return None
    return f"{workflow_url(ui, chain.namespace, chain.workflow_id, chain.newest.run_id)}/history"
