"""`devserver doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ..config.server_options import check_name
from ..instances.doctor import examine
from ..system.paths import Paths
from .options.server import json_option

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@click.option("--name", metavar="NAME", help="Look at this instance only.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Look for problems and say how to mend them. Changes nothing; exits 1 when an error was found."""
    if name is not None:
        check_name(name)
    findings = []
    for finding in examine(Paths.default(), only=name):
        findings.append(finding)
        if not as_json:
            level = click.style(f"{finding.level:<8}", fg=COLOURS[finding.level])
            click.echo(f"{level} {finding.topic}: {finding.text}")
            if finding.hint and finding.level != "ok":
                click.echo(f"{'':<8} -> {finding.hint}")
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        click.echo(f"{errors} errors, {warnings} warnings" if errors or warnings else "all is well")
    ctx.exit(1 if errors else 0)
