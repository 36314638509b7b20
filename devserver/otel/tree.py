"""Spans of one workflow as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .model import HistorySpan


@dataclass(frozen=True)
class SpanTree:
    """The spans of one workflow over all its runs, and of its children.

    `str(tree)` is the tree by names, the earliest first, with the reason behind each error: made to be compared.
    """

    spans: tuple[HistorySpan, ...]

    @property
    def root(self) -> HistorySpan:
        """The workflow that was asked for, from its first run's start to its last run's end."""
        ids = {span.span_id for span in self.spans}
        return next(span for span in self.spans if span.parent_id not in ids)

    @property
    def errors(self) -> dict[str, str]:
        """The reason of each span that failed, by the span's name; of several of a name, the last one's."""
        return {span.name: span.error for span in self.spans if span.error is not None}

    def named(self, name: str) -> list[HistorySpan]:
        """The spans of that name, the earliest first: `activity charge`, `workflow Order`, `timer`."""
        return sorted((span for span in self.spans if span.name == name), key=_order)

    def one(self, name: str) -> HistorySpan:
        """The only span of that name.

        Raises:
            AssertionError: There is none, or more than one; the message has the tree.
        """
        found = self.named(name)
        if len(found) != 1:
            raise AssertionError(f"{len(found) or 'no'} spans are named {name!r}:\n{self}")
        return found[0]

    def children(self, span: HistorySpan) -> list[HistorySpan]:
        """What hangs right below a span, the earliest first."""
        return sorted(self._below.get(span.span_id, ()), key=_order)

    def walk(self) -> Iterator[tuple[int, HistorySpan]]:
        """Each span with its depth, the root's being 0: what is below a span right after it."""
        ahead = [(0, self.root)]
        while ahead:
            depth, span = ahead.pop()
            yield depth, span
            ahead += [(depth + 1, each) for each in reversed(self.children(span))]

    @cached_property
    def _below(self) -> dict[int | None, list[HistorySpan]]:
        below: dict[int | None, list[HistorySpan]] = {}
        for span in self.spans:
            below.setdefault(span.parent_id, []).append(span)
        return below

    def __str__(self) -> str:
        return "\n".join("  " * depth + _line(span) for depth, span in self.walk())


def _line(span: HistorySpan) -> str:
    return span.name + (f": {span.error}" if span.error is not None else " (open)" if span.open else "")


def _order(span: HistorySpan) -> tuple[Any, ...]:
    return (span.start, span.attributes.get("temporal.event_id", 0))
