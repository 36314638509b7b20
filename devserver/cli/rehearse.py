"""`devserver rehearse`: hold rehearsals, show how they go, and say what came of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..rehearsal.scenario.seeds import SEEDS

EXAMPLE = """
\b
Example:
  devserver rehearse rehearsals/                     all scenarios of a folder
  devserver rehearse scale_up.py --dry-run           what would be done, and when
  devserver rehearse scale_up.py --report out        verdicts, and out/report.html
  devserver rehearse scale_up.py --sweep worker      a crash at every point
  devserver rehearse --init my_runbook first.py      write a first scenario

\b
Exit code: 0 all pass, 1 one fails, 4 none fails but one is unknown (what was
planned did not happen), 2 a scenario is invalid, 130 Ctrl-C.
"""


@click.command(epilog=EXAMPLE)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Check the scenarios and print their plans; start nothing.")
@click.option("--only", metavar="TEXT", help="Hold those whose name contains TEXT (or is TEXT, if one is).")
@click.option("--repeat", type=click.IntRange(1, 10_000), default=1, metavar="N", help="Hold each N times.")
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="N",
    help="The same seed makes the same choices; repeats count on from it. [any]",
)
@click.option("--sweep", type=click.Choice(["server", "worker"]), help="Instead of the plan, kill it at every point.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Write report.html and report.json there."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write the verdicts as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (see docs/json.md), and nothing else.")
@click.option("--keep", is_flag=True, help="Keep the server's database, ledgers and logs, and say where.")
@click.option("--init", metavar="MODULE", help="Write a first scenario for the runbook in MODULE, into PATH.")
@click.pass_context
def rehearse(
    ctx: click.Context,
    paths: tuple[Path, ...],
    dry_run: bool,
    only: str | None,
    repeat: int,
    seed: int | None,
    sweep: str | None,
    report: Path | None,
    junit: Path | None,
    as_json: bool,
    keep: bool,
    init: str | None,
) -> None:
    """Run runbooks on the real server, break things under them, and show whether they survive."""
    sys.path.append(str(Path.cwd()))  # where a project's packages are
    if init is not None:
        _write_first(init, paths)
        return
    if not paths:
        raise click.UsageError("name a scenario's file, or a folder of them; --init MODULE writes a first one")
    from ..system.paths import Paths, whole
    from .options.rehearsal import Wanted, chosen
    from .render.rehearsal import plan

    scenarios = chosen(paths, only)
    if dry_run:
        click.echo(plan(scenarios, as_json=as_json))
        return
    from .render.rehearsal_journal import tell_of_dead
    from .render.rehearsal_outcome import finish
    from .render.rehearsal_session import hold

    tell_of_dead(Paths.default())
    wanted = Wanted(
        scenarios=scenarios,
        repeat=repeat,
        seed=seed,
        sweep=sweep,
        report=whole(report) if report else None,
        junit=whole(junit) if junit else None,
        as_json=as_json,
        keep=keep,
    )
    ctx.exit(finish(wanted, hold(wanted)))


def _write_first(module: str, paths: tuple[Path, ...]) -> None:
    """Write a first scenario beside the runbook, which is looked for here and where Python looks."""
    from ..rehearsal.scenario.template import write_first

    if len(paths) > 1:
        raise click.UsageError("--init writes one file")
    file = paths[0] if paths else Path(f"rehearsal_{module.rpartition('.')[2]}.py")
    write_first(module, file)
    click.echo(f"wrote {file}; hold it with: devserver rehearse {file}")
