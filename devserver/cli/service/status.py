"""`devserver service status`: whether a server starts at login."""

from __future__ import annotations

import click

from ...config.option_values import check_name
from ...services.manager import ServiceManager
from ..options.common import json_option, name_option
from ..render.output import echo_form
from ..render.terminal import clean

WORDS = {True: "it starts at login", False: "it is disabled", None: "whether it is enabled cannot be found out here"}


@click.command()
@name_option
@json_option
@click.pass_context
def status(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show whether a server starts at login. Exits 0 when it has a service, else 1."""
    check_name(name)
    manager = ServiceManager.of(name)
    installed = manager.installed()
    enabled = manager.enabled() if installed else False
    if as_json:
        echo_form(name=name, installed=installed, enabled=enabled, file=str(manager.file))
    elif installed:
        click.echo(clean(f"{name} has a service, {manager.file}: {WORDS[enabled]}"))
    else:
        click.echo(f"{name} has no service")
    ctx.exit(0 if installed else 1)
