"""The table of a soak, as text for a terminal and as Markdown for docs/reliability.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .state import Tally

HEAD = ["killed", "kills", "orphans", "stale records", "lost acknowledgements", "failed recoveries", "s per round"]


def rows(tallies: Mapping[str, Tally], shown: Mapping[str, str]) -> list[list[str]]:
    """The cells of each kind, in the order of `shown`: names and what is killed."""
    found = []
    for name, what in shown.items():
        tally = tallies.get(name)
        if tally is None or not tally.rounds:
            continue
        lost = f"{tally.count('lost')} of {tally.acknowledged}" if tally.acknowledged else "-"
        kills = str(tally.kills) if tally.kills else "-"
        cells = [what, kills, *(str(tally.count(column)) for column in ("orphans", "stale")), lost]
        found.append([*cells, str(tally.count("failed")), f"{tally.seconds / tally.rounds:.1f}"])
    return found


def text(cells: Sequence[Sequence[str]]) -> str:
    """Aligned columns."""
    widths = _widths(cells)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def markdown(cells: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    widths = _widths(cells)
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def spread(moments: Sequence[int]) -> str:
    """Where in the action the kills hit, in tenths of its usual time."""
    return " ".join(str(count) for count in moments)


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
