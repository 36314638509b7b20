"""Stretches of time, each a beginning and an end in seconds: their union, and how much two have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same times, as spans that do not overlap."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > begin:
            joined.append((begin, end))
    return joined


def overlap(span: Span, others: Sequence[Span]) -> float:
    """How long a span shares with spans that do not overlap."""
    return sum(max(0.0, min(span[1], end) - max(span[0], begin)) for begin, end in others)
