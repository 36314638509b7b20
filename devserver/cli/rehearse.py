"""`devserver rehearse`: hold rehearsals and say what came of them."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def rehearse(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Run runbooks on the real server, break things under them, and show whether they survive."""
    import asyncio

    from ..rehearsal.load import scenarios_in
    from ..rehearsal.runner import rehearse as hold

    worst = 0
    for scenario in scenarios_in(paths):
        result = asyncio.run(hold(scenario))
        click.echo(f"{result.verdict.upper():<8} {result.name}")
        for finding in result.findings:
            click.echo(f"  {finding.verdict:<8} {finding.name}: {finding.evidence}")
        for done in result.run.done if result.run else ():
            when = "never" if done.at is None else f"{done.at:.3f} s"
            click.echo(f"  {when:<8} {done.step}" + (f" ({done.trouble})" if done.trouble else ""))
        worst = max(worst, {"pass": 0, "fail": 1, "unknown": 4}[result.verdict])
    ctx.exit(worst)
