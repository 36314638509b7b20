"""Medians of repeated measurements, and the table that is printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One thing measured on ours and on a stock tool: seconds (or what `unit` says) of each repetition.

    `aim` is the ratio stock/ours to reach, or for `at_most` the ratio ours/stock not to pass.
    """

    what: str
    ours: Sequence[float]
    stock: Sequence[float]
    against: str
    aim: float | None = None
    at_most: float | None = None
    unit: str = "s"

    def cells(self) -> list[str]:
        """The printed row: the ratio of medians of the same run."""
        ours, stock = statistics.median(self.ours), statistics.median(self.stock)
        if self.at_most is not None:
            ratio, met, aim = f"{ours / stock:.2f} times", ours / stock <= self.at_most, f"at most {self.at_most:g}"
        else:
            ratio, met = f"{stock / ours:.1f} times as fast", self.aim is None or stock / ours >= self.aim
            aim = f"{self.aim:g}" if self.aim is not None else "-"
        return [self.what, _shown(ours, self.unit), _shown(stock, self.unit), self.against, ratio, aim, _verdict(met)]


def _verdict(met: bool) -> str:
    return "yes" if met else "NO"


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit != "s" else f"{value:.3f} s"


HEAD = ["what", "ours", "stock", "stock is", "ours is", "aim", "met"]


def render(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
