"""`devserver rehearse compare` and `devserver rehearse index`: what to do with reports of earlier rehearsals."""

from __future__ import annotations

from pathlib import Path

import click

from .options.common import json_option, summary_option
from .render.output import echo_json


@click.command()
@click.argument("a", type=click.Path(path_type=Path), metavar="A")
@click.argument("b", type=click.Path(path_type=Path), metavar="B")
@click.option(
    "--max-slower",
    type=click.FloatRange(min=0),
    metavar="PERCENT",
    show_default="timings do not count",
    help="Also count timings that grew by more than PERCENT, and by half a second, as worse.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write an HTML page.")
@summary_option
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    a: Path,
    b: Path,
    max_slower: float | None,
    html: Path | None,
    summary: Path | None,
    as_json: bool,
) -> None:
    """Compare two reports of rehearsals: verdicts, expectations, repeated effects, outages and timings.

    A and B are folders of `devserver rehearse --report`, or their report.json; A is the older one.

    Exits 0 when B is the same or better, 1 when it is worse: a verdict, an expectation or a repeated effect got worse,
    or a scenario is gone.
    """
    from ..rehearsal.report.compare import compared
    from ..rehearsal.report.stored import read_report

    comparison = compared(read_report(a), read_report(b), (a, b), slower=max_slower)
    if as_json:
        echo_json(comparison)
    else:
        from .render.rehearsal_comparison import comparison_lines

        for line in comparison_lines(comparison):
            click.echo(line)
    if html is not None:
        from ..rehearsal.report.comparison_page import write_comparison

        write_comparison(comparison, html)
        click.echo(f"page: {html}", err=as_json)
    if summary is not None:
        from .render import summary as markdown

        markdown.write(markdown.of_comparison(comparison), summary)
    ctx.exit(1 if comparison["verdict"] == "worse" else 0)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@json_option
def index(folder: Path, as_json: bool) -> None:
    """Write a page of all reports below a folder: each scenario over time, and each report.

    DIR has the folders that `devserver rehearse --report` wrote; the page is DIR/index.html.
    """
    from ..rehearsal.report.index import index_data, write_index

    shape = index_data(folder)
    page = write_index(folder, shape)
    if as_json:
        echo_json({**shape, "page": str(page)})
        return
    from .render.rehearsal_comparison import index_lines

    for line in index_lines(shape):
        click.echo(line)
    click.echo(f"page: {page}")
