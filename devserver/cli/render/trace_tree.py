"""A trace as a tree of lines, as wide as the terminal, printed while histories are read."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ...client.failures import failure_line
from ...trace import HiddenRuns, OmittedSteps, Repeat, RunBegins, RunEnds, formatting
from . import symbols
from .terminal import clean
from .trace_texts import TraceTexts

if TYPE_CHECKING:
    from temporalio.api.failure.v1 import Failure

    from ...history import HistoryReader, Step, TruncatedPayload
    from ...trace import RepeatTimes, ShownEntry, TraceItem

LEAST_TEXT = 16
LEAST_PREVIEW = 20
NAMED_FIGURES = 12


class Tree:
    """Makes lines from a walk.

    Args:
        width: Of the lines, in characters.
        signs: Whether Unicode symbols can be shown.
        depth: How many levels of children follow; None: all.
        now: The time at which open steps are shown; None: the time of each line.
    """

    def __init__(
        self, reader: HistoryReader, *, width: int, signs: bool, depth: int | None = None, now: datetime | None = None
    ) -> None:
        self._depth = depth
        self._reader = reader
        self._width = width
        self._signs = 0 if signs else 1
        parts = symbols.BRANCHES if signs else symbols.PLAIN_BRANCHES
        self._branch, self._end, self._stem, self._times, self._arrow = parts
        self._failed = ""
        self._texts = TraceTexts(reader.converter, width, self._arrow)
        self._now = now
        self._start: datetime | None = None

    async def lines(self, item: TraceItem) -> list[str]:
        """The lines of one item. Not a generator: asyncio tracks every asynchronous generator."""
        if isinstance(item, RunBegins):
            return await self._run_begins(item)
        if isinstance(item, RunEnds):
            return await self._run_ends(item)
        if isinstance(item, HiddenRuns):
            return [*self._hidden(item)]
        if isinstance(item.entry, Repeat):
            return [*self._repeat(item, item.entry)]
        if isinstance(item.entry, OmittedSteps):
            return [*self._rest(item, item.entry)]
        return await self._step(item, item.entry)

    @property
    def now(self) -> datetime:
        """The moment for what is open."""
        return self._now or datetime.now(timezone.utc)

    async def _run_begins(self, item: RunBegins) -> list[str]:
        run, chain = item.run, item.chain
        if self._start is None:
            self._start = run.started
        if item.depth and len(chain.runs) == 1:
            return []  # the step that started it shows everything
        stem = self._stems(item.depth)
        many = f", run {item.number} of {len(chain.runs)}" if len(chain.runs) > 1 else ""
        if run.missing:
            return [*self._lines(stem, stem, f"run {run.run_id}{many}: {self._reader.missing_run}", dim=True)]
        head = f"{run.type} {run.workflow_id}{many}, {formatting.run_state(run, self.now + run.skipped)}"
        lines = [*self._lines(stem, stem, head, self._sign(run.status), bold=True)]
        for text in await self._texts.about_run(item):
            lines += self._lines(stem, stem + "  ", text, dim=True)
        return lines

    async def _run_ends(self, item: RunEnds) -> list[str]:
        run = item.run
        if run.missing:
            return []
        first, after = self._gutter(run.closed) + self._inner(item.depth) + self._end, self._blank(item.depth) + "   "
        text = run.status.replace("_", " ")
        if run.open:
            text = formatting.run_state(run, self.now + run.skipped)
        elif run.reason:
            text += f": {run.reason}"
        if run.next is not None and run.next.how not in ("continued_as_new",):
            text += f", then {formatting.HOW[run.next.how]}"
        preview = await self._preview(run.result)
        preview = "" if preview == "null" else preview
        lines = [*self._lines(first, after, text, self._sign(run.status), preview=preview)]
        if run.failure is not None:
            lines += await self._failure(run.failure, after + "  ", run.retry_state, again=False)
        if item.depth == 0 and item.chain.newest.run_id != run.run_id:
            lines.append("")
        return lines

    async def _step(self, item: ShownEntry, step: Step) -> list[str]:
        first, after = self._prefixes(item, step.scheduled)
        text = ", ".join([formatting.title(step), *formatting.state(step, self.now + item.run.skipped)])
        if step.reason:
            text += f": {step.reason}"
        preview = await self._texts.of_step(step)
        lines = [*self._lines(first, after, text, self._sign(step.status), preview=preview)]
        if step.failure is not None and not self._told_below(item, step):
            lines += await self._failure(step.failure, after + "  ", step.retry_state, bad=step.bad)
        if step.heartbeat:
            text = f"last heartbeat {await self._preview(step.heartbeat)}"
            lines += self._lines(after + "  ", after + "  ", text, dim=True)
        return lines

    def _told_below(self, item: ShownEntry, step: Step) -> bool:
        return step.has_tree and (self._depth is None or item.depth < self._depth)

    def _repeat(self, item: ShownEntry, repeat: Repeat) -> Iterator[str]:
        first, after = self._prefixes(item, repeat.started)
        pattern = ", ".join(formatting.kind_title(item) for item in repeat.pattern)
        text = ", ".join([f"{repeat.count:,} {self._times} {pattern}", *formatting.repeat_state(repeat)])
        yield from self._lines(first, after, text, self._sign(repeat.status), dim=True)
        each = "; ".join(self._times_of(item) for item in repeat.pattern if item.kind != "timer" and item.total)
        if each:
            yield from self._lines(after + "  ", after + "  ", each, dim=True)
        if repeat.hidden:
            note = f"{repeat.hidden:,} more of them were retried, failed or are open: see --failures, --no-fold"
            yield from self._lines(after + "  ", after + "  ", note)

    def _times_of(self, figures: RepeatTimes) -> str:
        return f"{formatting.kind_title(figures)} {formatting.between(figures)}"

    def _rest(self, item: ShownEntry, rest: OmittedSteps) -> Iterator[str]:
        first, after = self._prefixes(item, rest.started)
        shown = [
            f"{figure.count:,} {self._times} {formatting.kind_title(figure)}" for figure in rest.figures[:NAMED_FIGURES]
        ]
        more = len(rest.figures) - len(shown)
        text = f"{rest.count:,} more steps: {', '.join(shown)}" + (f" and {more:,} other kinds" if more else "")
        bad = f"; {rest.bad:,} of them failed: see --failures" if rest.bad else "; --no-fold shows them"
        yield from self._lines(first, after, text + bad)

    def _hidden(self, item: HiddenRuns) -> Iterator[str]:
        stem = self._stems(item.depth)
        counted = Counter(link.status.replace("_", " ") for link in item.runs)
        counts = ", ".join(f"{count:,} {self._times} {status}" for status, count in counted.most_common())
        yield from self._lines(stem, stem, f"... {item.what}" + (f": {counts}" if counts else ""), dim=True)
        if item.depth == 0:
            yield ""

    # Parts of lines

    def _prefixes(self, item: ShownEntry, when: datetime) -> tuple[str, str]:
        inner = self._inner(item.depth) + (self._stem if item.of is not None else "")
        return self._gutter(when) + inner + self._branch, " " * 9 + inner + self._stem

    def _gutter(self, when: datetime | None) -> str:
        return f"{formatting.after(self._start, when)} "

    def _inner(self, depth: int) -> str:
        return self._stem * depth

    def _blank(self, depth: int) -> str:
        return " " * 9 + self._inner(depth)

    def _stems(self, depth: int) -> str:
        return self._blank(depth) if depth else ""

    def _sign(self, status: str) -> tuple[str, str]:
        entry = symbols.SIGNS[status]
        return entry[self._signs], entry[2]

    async def _preview(self, kept: Sequence[TruncatedPayload]) -> str:
        return await self._texts.preview(kept)

    async def _failure(
        self, failure: Failure, prefix: str, retry_state: str, *, bad: bool = True, again: bool = True
    ) -> list[str]:
        """A failure; the one that was shown last is not shown `again`."""
        line = await failure_line(failure, self._reader.converter)
        if line == self._failed and not again:
            return []
        self._failed = line
        lines = [*self._lines(prefix, prefix, line, colour="red" if bad else "yellow")]
        facts = await self._texts.facts(failure, retry_state)
        return [*lines, *self._lines(prefix, prefix, facts, dim=True)] if facts else lines

    def _lines(
        self,
        first: str,
        after: str,
        text: str,
        sign: tuple[str, str] | None = None,
        *,
        preview: str = "",
        colour: str | None = None,
        dim: bool = False,
        bold: bool = False,
    ) -> Iterator[str]:
        """`text`, wrapped, behind `first` and on further lines `after`; a preview only where there is room for it."""
        mark = f"{sign[0]} " if sign else ""
        room = max(LEAST_TEXT, self._width - max(len(first) + len(mark), len(after) + len(mark)))
        lines = _wrapped(clean(text), room)
        left = room - len(lines[-1]) - 2
        for number, line in enumerate(lines):
            styled = click.style(line, fg=colour, dim=dim or None, bold=bold or None) if colour or dim or bold else line
            lead = click.style(mark, fg=sign[1]) if sign and not number else " " * len(mark)
            if preview and number == len(lines) - 1 and left >= LEAST_PREVIEW:
                styled += "  " + click.style(_cut(preview, left), dim=True)
            yield (first if not number else after) + lead + styled


def _wrapped(text: str, room: int) -> list[str]:
    if len(text) <= room:  # nearly all that is written
        return [text.rstrip()]
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
