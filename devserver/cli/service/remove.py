"""`devserver service remove`: stop starting a server at login."""

from __future__ import annotations

import shlex

import click

from ...config.option_values import check_name
from ...services.manager import ServiceManager
from ..options.common import json_option, name_option
from ..render.output import echo_form
from ..render.terminal import clean
from .install import echo_left


@click.command()
@name_option
@json_option
def remove(name: str, as_json: bool) -> None:
    """Stop starting a server at login. If the service runs it now, it is stopped; its state survives."""
    check_name(name)
    manager = ServiceManager.of(name)
    left = manager.remove()
    if as_json:
        echo_form(name=name, file=str(manager.file), commands=[shlex.join(words) for words in left])
        return
    click.echo(clean(f"deleted {manager.file}"))
    echo_left(left)
