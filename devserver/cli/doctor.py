"""`devserver doctor`: problems and their fixes."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..config.option_values import check_name
from ..instances.doctor import examine
from ..system.paths import Paths
from .options.common import json_option
from .render.output import echo_form
from .render.terminal import clean

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@click.option("--name", metavar="NAME", show_default="all", help="Name of the devserver instance.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Find problems and suggest fixes. Changes nothing; exits 1 when it finds an error."""
    if name is not None:
        check_name(name)
    findings = []
    for finding in examine(Paths.default(), only=name):
        findings.append(finding)
        if not as_json:
            level = click.style(f"{finding.level:<8}", fg=COLOURS[finding.level])
            click.echo(f"{level} {finding.topic}: {clean(finding.text)}")
            if finding.hint and finding.level != "ok":
                click.echo(f"{'':<8} -> {clean(finding.hint)}")
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    if as_json:
        echo_form(errors=errors, warnings=warnings, findings=[asdict(finding) for finding in findings])
    else:
        counts = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
        click.echo(counts if errors or warnings else "all is well")
    ctx.exit(1 if errors else 0)
