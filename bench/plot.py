"""A small SVG of curves, which a page of documentation shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 34, 34
COLOURS = ("#0b6bcb", "#c2410c", "#6b7280")

Points = Sequence[tuple[float, float]]


def svg(panels: Mapping[str, Mapping[str, Points]], x_label: str) -> str:
    """Panels side by side, each with its title and its named curves."""
    parts = [_panel(title, curves, x_label, number * WIDTH) for number, (title, curves) in enumerate(panels.items())]
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    style = "<style>text{font:11px sans-serif;fill:#57606a}polyline{fill:none;stroke-width:2}</style>"
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{background}{"".join(parts)}</svg>\n'


def _panel(title: str, curves: Mapping[str, Points], x_label: str, offset: int) -> str:
    points = [point for curve in curves.values() for point in curve]
    right = max(x for x, _ in points)
    top = _round(max(y for _, y in points))

    def place(x: float, y: float) -> str:
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / right
        return f"{across:.1f},{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top:.1f}"

    parts = [f'<text x="{LEFT}" y="16" font-weight="bold">{title}</text>']
    for share in (0, 0.5, 1):
        y = place(0, top * share).split(",")[1]
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{top * share:g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{right:g} {x_label}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline stroke="{colour}" points="{" ".join(place(x, y) for x, y in curve)}"/>')
        x = LEFT + number * 120
        parts.append(f'<text x="{x}" y="{HEIGHT - 10}" style="fill:{colour}">{name}</text>')
    return f'<g transform="translate({offset},0)">{"".join(parts)}</g>'


def _round(value: float) -> float:
    """The next round number, as the end of an axis."""
    step = 10 ** (len(str(int(value))) - 1)
    return float(next(step * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value))
