"""`devserver trace --follow`: a tree redrawn in place on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

import click

from ...trace import formatting
from . import symbols as signs
from .live import LiveView
from .output import echo_json_line
from .terminal import clean, stamp
from .trace_texts import tree_width
from .trace_tree import Tree

if TYPE_CHECKING:
    from ...errors import DevServerError
    from ...history import HistoryReader, RunChain, Step, WorkflowRun
    from ...trace import ShownEntry, TraceOptions
    from ...trace.follow import TraceFollower
    from ...trace.follow_events import FollowedRun, FollowEvent

DRAW_SECONDS = 0.2
IDLE_SECONDS = 1.0


def _now() -> datetime:
    return datetime.now(timezone.utc)


class FollowView(Protocol):
    """Where changes are shown."""

    async def show(self, news: FollowEvent) -> None:
        """A change."""


async def follow(chain: RunChain, view: FollowView, follower: TraceFollower) -> WorkflowRun:
    """Show changes until the workflow closes; its last run."""
    async for news in follower.follow(chain):
        await view.show(news)
    if follower.root is None:
        raise AssertionError("a followed workflow has a root")
    return follower.root.run


class FollowLines:
    """A line for each step so far, and one for each change."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader

    async def show(self, news: FollowEvent) -> None:
        """Print it."""
        from ...trace.follow_events import RunClosed, RunFollowed, ServerAway, ServerBack, StepChanged

        if isinstance(news, StepChanged):
            await self._step(news.followed.run, news.step, _now())
        elif isinstance(news, RunFollowed):
            await self._seen(news.followed)
        elif isinstance(news, RunClosed):
            await self._closed(news.followed.run)
        elif isinstance(news, ServerAway):
            self._say(_now(), f"! {news.error.message}")
        elif isinstance(news, ServerBack):
            self._say(_now(), "! the server answers again")

    async def _seen(self, live: FollowedRun) -> None:
        run = live.run
        which = f", run {live.number}" if live.number > 1 else ""
        self._say(
            run.started, f"{run.workflow_id} > {run.type} {formatting.run_state(run, _now() + run.skipped)}{which}"
        )
        for step in live.run.own_steps:
            await self._step(run, step, step.closed or step.scheduled)

    async def _step(self, run: WorkflowRun, step: Step, when: datetime) -> None:
        from ...client.failures import failure_line

        sign = signs.SIGNS[step.status][1]
        reason = f": {step.reason}" if step.reason else ""
        if step.failure is not None:
            reason = f": {await failure_line(step.failure, self._reader.converter)}"
        text = ", ".join([formatting.title(step), *formatting.state(step)])
        self._say(when, f"{run.workflow_id} {sign} {text}{reason}")

    async def _closed(self, run: WorkflowRun) -> None:
        from ...client.failures import failure_line

        sign = signs.SIGNS[run.status][1]
        reason = f": {run.reason}" if run.reason else ""
        if run.failure is not None:
            reason = f": {await failure_line(run.failure, self._reader.converter)}"
        self._say(
            run.closed,
            f"{run.workflow_id} {sign} {run.type} {formatting.run_state(run, _now() + run.skipped)}{reason}",
        )

    def _say(self, when: datetime | None, text: str) -> None:
        click.echo(f"{stamp(when or _now())} {clean(text)}")


class FollowJsonLines:
    """An object for each change."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader

    async def show(self, news: FollowEvent) -> None:
        """Print it."""
        from ...trace.follow_events import RunClosed, RunFollowed, ServerAway, ServerBack, StepChanged
        from ...trace.serialization import run_data, step_data

        converter = self._reader.converter
        if isinstance(news, ServerAway):
            self._say("away", **news.error.to_json())
        elif isinstance(news, ServerBack):
            self._say("back")
        elif isinstance(news, StepChanged):
            self._step(news.followed.run, await step_data(news.step, converter))
        elif isinstance(news, RunFollowed):
            self._say("run", run=await run_data(news.followed.run, converter))
            for step in news.followed.run.steps:
                self._step(news.followed.run, await step_data(step, converter))
        elif isinstance(news, RunClosed):
            self._say("closed", run=await run_data(news.followed.run, converter))

    def _step(self, run: WorkflowRun, step: dict[str, Any]) -> None:
        self._say("step", workflow_id=run.workflow_id, run_id=run.run_id, step=step)

    def _say(self, change: str, **values: Any) -> None:
        from ...system.timefmt import utc_now

        echo_json_line(at=utc_now(), change=change, **values)


class FollowScreen:
    """The newest run's tree with the children that are open; the end of it where there is no room for all."""

    def __init__(self, reader: HistoryReader, chain: RunChain, wanted: TraceOptions, follower: TraceFollower) -> None:
        self._reader = reader
        self._chain = chain
        self._wanted = wanted
        self._follower = follower
        self._away: DevServerError | None = None
        self._stale = False
        self._drawing: asyncio.Task[None] | None = None
        self._view = LiveView()

    async def __aenter__(self) -> FollowScreen:
        self._view.__enter__()
        self._drawing = asyncio.ensure_future(self._draw_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.gather(self._drawing, return_exceptions=True)
        if self._stale:
            await self._draw()
        self._view.stop()

    async def show(self, news: FollowEvent) -> None:
        """Draw it soon."""
        from ...trace.follow_events import ServerAway, ServerBack

        if isinstance(news, (ServerAway, ServerBack)):
            self._away = news.error if isinstance(news, ServerAway) else None
        self._stale = True

    async def _draw_on(self) -> None:
        idle = 0.0
        while True:
            if self._stale or idle >= IDLE_SECONDS:
                self._stale, idle = False, 0.0
                await self._draw()
            await asyncio.sleep(DRAW_SECONDS)
            idle += DRAW_SECONDS

    async def _draw(self) -> None:
        live = self._follower.root
        if live is None or not live.seen:
            return
        now = _now()
        name, goes_on = clean(live.run.workflow_id), live.run.open or live.run.next is not None
        head = f"{stamp(now)}, following {name} until it closes; Ctrl-C ends" if goes_on else f"{name} has closed"
        if self._away is not None:
            head = click.style(clean(self._away.message), fg="red", bold=True) + "; last seen:"
        width = tree_width()
        tree = Tree(self._reader, width=width, signs=signs.shows_signs(), depth=self._wanted.depth, now=now)
        lines = await self._lines(tree, live)
        room = max(1, shutil.get_terminal_size().lines - 6)
        if len(lines) > room:
            lines = [f"... {len(lines) - room} more above", *lines[-room:]]
        self._view.show([head, "", *lines])

    async def _lines(self, tree: Tree, live: FollowedRun) -> list[str]:
        from dataclasses import replace

        from ...history import Step
        from ...trace import RunBegins, RunEnds

        chain = replace(self._chain, workflow_id=live.run.workflow_id, runs=self._chain.runs[:1] * live.number)
        lines = await tree.lines(RunBegins(live.depth, chain, chain.newest, live.number, live.run))
        for shown in self._shown(live):
            lines += await tree.lines(shown)
            child = live.children.get(shown.entry.event_id) if isinstance(shown.entry, Step) else None
            if child is not None:
                lines += await self._lines(tree, child)
        return lines + await tree.lines(RunEnds(live.depth, chain, live.run))

    def _shown(self, live: FollowedRun) -> Iterator[ShownEntry]:
        from ...trace import Repeat, ShownEntry, fold

        steps = live.run.own_steps
        for entry in fold(steps, most=self._wanted.most_entries) if self._wanted.folds else steps:
            yield ShownEntry(live.depth, live.run, entry)
            if isinstance(entry, Repeat):
                for step in entry.notable:
                    yield ShownEntry(live.depth, live.run, step, of=entry)
