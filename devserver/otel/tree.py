"""Spans of one workflow as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .spans import HistorySpan


@dataclass(frozen=True)
class SpanTree:
    """The spans of one workflow over all its runs, and of its children.

    `str(tree)` has the name of each span, the earliest first, and its error: compare it with a text in a test.
    """

    spans: tuple[HistorySpan, ...]

    @property
    def root(self) -> HistorySpan:
        """The span of the workflow, from its first run's start to its last run's end."""
        ids = {span.span_id for span in self.spans}
        return next(span for span in self.spans if span.parent_id not in ids)

    @property
    def errors(self) -> dict[str, str]:
        """The errors of spans by the spans' names; the last one's if several have the same name."""
        return {span.name: span.error for span in self.spans if span.error is not None}

    def named(self, name: str) -> list[HistorySpan]:
        """The spans of that name, the earliest first: `activity charge`, `workflow Order`, `timer`."""
        return sorted((span for span in self.spans if span.name == name), key=_order)

    def one(self, name: str) -> HistorySpan:
        """The only span of that name.

        Raises:
            AssertionError: There is none, or more than one; the message shows the tree.
        """
        found = self.named(name)
        if len(found) != 1:
            raise AssertionError(f"{len(found) or 'no'} spans are named {name!r}:\n{self}")
        return found[0]

    def children(self, span: HistorySpan) -> list[HistorySpan]:
        """The children of a span, the earliest first."""
        return sorted(self._below.get(span.span_id, ()), key=_order)

    def walk(self) -> Iterator[tuple[int, HistorySpan]]:
        """Each span with its depth, 0 for the root, in the order of the tree."""
        ahead = [(0, self.root)]
        while ahead:
            depth, span = ahead.pop()
            yield depth, span
            ahead += [(depth + 1, child) for child in reversed(self.children(span))]

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
