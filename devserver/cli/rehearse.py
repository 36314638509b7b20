"""`devserver rehearse`: run rehearsals, show their progress, and report their results."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from ..rehearsal.scenario.plan import SEEDS
from .options.common import json_option, summary_option
from .render.output import echo_form

EXAMPLE = """
\b
Example:
  devserver rehearse rehearsals/                     all scenarios of a folder
  devserver rehearse scale_up.py --dry-run           what would happen, and when
  devserver rehearse scale_up.py --report out        verdicts, and out/report.html
  devserver rehearse scale_up.py --live              watch it on a local page
  devserver rehearse scale_up.py --sweep worker      a crash at every point
  devserver rehearse --init my_runbook first.py      write a first scenario
  devserver rehearse compare before after            what got worse
  devserver rehearse index reports                   a page of many reports

\b
Exit code: 0 all pass, 1 one fails, 4 none fails, but one is unknown (what was
planned did not happen), 2 a scenario is invalid, 130 Ctrl-C.
"""


class RehearseCommand(click.Command):
    """A command that also has commands of its own: with their names as first word, they take the others."""

    @property
    def subcommands(self) -> dict[str, click.Command]:
        """They are imported when they are needed."""
        from .rehearse_reports import compare, index

        return {"compare": compare, "index": index}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Make the context of this command, or that of the one which the first word names."""
        if args[:1] in (["compare"], ["index"]):
            command = self.subcommands[args[0]]
            command.context_class = self.context_class
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


@click.command(cls=RehearseCommand, epilog=EXAMPLE)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Check the scenarios and print their plans; start nothing.")
@click.option("--only", metavar="TEXT", help="Run only scenarios whose name is or contains TEXT.")
@click.option("--repeat", type=click.IntRange(1, 10_000), default=1, metavar="N", help="Run each scenario N times.")
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="N",
    show_default="random",
    help="Seed of random choices; each repeat adds 1.",
)
@click.option(
    "--sweep",
    type=click.Choice(["server", "worker"]),
    help="Kill the server or worker at every point, without the plan.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Folder for report.html and report.json."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write the verdicts as JUnit XML.")
@summary_option
@json_option
@click.option("--keep", is_flag=True, help="Keep the server's database, ledgers and logs, and print where they are.")
@click.option("--live", is_flag=True, help="Show the rehearsal on a local page while it runs, and in the terminal.")
@click.option("--init", metavar="MODULE", help="Write a first scenario for the runbook in MODULE to PATH.")
@click.option("--no-run", is_flag=True, help="With --init: do not run the runbook once to find its side effects.")
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
    summary: Path | None,
    as_json: bool,
    keep: bool,
    live: bool,
    init: str | None,
    no_run: bool,
) -> None:
    """Run a runbook through outages on the real server, and check that it survives."""
    sys.path.append(str(Path.cwd()))  # the project's packages are found there
    if init is not None:
        _write_first(init, paths, run=not no_run, as_json=as_json)
        return
    if not paths:
        raise click.UsageError("name a scenario file or a folder; --init MODULE writes a first scenario")
    from .options.rehearsal import find_scenarios

    if dry_run:
        from .render.rehearsal import plan_text

        click.echo(plan_text(find_scenarios(paths, only), as_json=as_json))
        return
    from ..rehearsal.environment.worker_forkserver import WorkerForkServer
    from ..system.paths import Paths, whole
    from .options.rehearsal import RehearsalRequest
    from .render.rehearsal_journal import report_killed
    from .render.rehearsal_live import live_page
    from .render.rehearsal_outcome import finish
    from .render.rehearsal_session import run_rehearsals

    with contextlib.closing(WorkerForkServer(fork=True)) as fork_server:  # before the user's code is imported
        scenarios = find_scenarios(paths, only)
        report_killed(Paths.default())
        request = RehearsalRequest(
            scenarios=scenarios,
            repeat=repeat,
            seed=seed,
            sweep=sweep,
            report=whole(report) if report else None,
            junit=whole(junit) if junit else None,
            summary=whole(summary) if summary else None,
            as_json=as_json,
            keep=keep,
            live=live,
        )
        with live_page(request) as page:
            outcome = run_rehearsals(request, fork_server, page)
            code = finish(request, outcome, page)
    ctx.exit(code)


def _write_first(module: str, paths: tuple[Path, ...], *, run: bool, as_json: bool) -> None:
    """Write a first scenario next to the runbook, which is found in this folder or where Python imports from."""
    from ..rehearsal.run.reference_run import add_effects
    from ..rehearsal.scenario.template import write_first

    if len(paths) > 1:
        raise click.UsageError("--init writes one file")
    file = paths[0] if paths else Path(f"rehearsal_{module.rpartition('.')[2]}.py")
    write_first(module, file)
    if run:
        click.echo(
            "running the runbook once without faults, to find its side effects (--no-run leaves that out)", err=True
        )
        reason = add_effects(module, file)
        if reason is not None:
            click.echo(f"no side effects were written into {file}: {reason}", err=True)
    if as_json:
        echo_form(file=str(file))
    else:
        click.echo(f"wrote {file}; run it with: devserver rehearse {file}")
