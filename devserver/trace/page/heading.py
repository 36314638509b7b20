"""The head of a trace's page: what the workflow was started with, how it ended, and its critical path."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from temporalio.converter import DataConverter

from ...history.model import Step, WorkflowRun
from ...history.previews import preview
from ...history.run_chain import RunChain
from ...system.timefmt import lasted
from .. import formatting
from ..critical_path import critical_path
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
    """`charge 1.2 s → timer 2 s → ship 300 ms: 97 % of the time`; empty if there is nothing to say."""
    path = critical_path(run, now)
    if not path.steps:
        return ""
    worth = sorted(path.steps, key=lambda step: _length(step, now), reverse=True)[:MOST_STEPS]
    kept = {step.event_id for step in worth}
    named = [_named(step, now) for step in path.steps if step.event_id in kept]
    left = len(path.steps) - len(named)
    more = f" (and {left:,} shorter)" if left else ""
    return f"{' → '.join(named)}{more}: {round(100 * path.share)} % of the time"


def _length(step: Step, now: datetime) -> timedelta:
    return max((step.closed or now) - step.scheduled, timedelta(0))


def _named(step: Step, now: datetime) -> str:
    title = formatting.title(step)
    return title if step.kind in ("signal", "cancel", "timer") else f"{title} {lasted(_length(step, now))}"


def web_ui_link(ui: str | None, chain: RunChain) -> str | None:
    """The workflow in the Web UI; None without one."""
    if not ui or not ui.startswith(("http://", "https://")):
        return None
    words = (quote(word, safe="") for word in (chain.namespace, chain.workflow_id, chain.newest.run_id))
    return "{}/namespaces/{}/workflows/{}/{}/history".format(ui.rstrip("/"), *words)
