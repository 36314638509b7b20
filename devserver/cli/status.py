"""`devserver status`: one server's state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..instances.cleanup import tidy
from ..instances.database_room import DatabaseRoom
from ..instances.folder import InstanceFolder
from ..instances.record import up_command
from ..instances.status import status as read_status
from ..server.log import log_tail
from ..system.paths import Paths
from .options.common import json_option, name_option
from .program_name import as_called
from .render.banner import ENV_PRINTS, TLS_ROWS
from .render.output import echo_json
from .render.terminal import clean

SHOWN = ("state", "problem", "address", "namespaces", "ui_url", "metrics_url", "version", "server_version", "tuning")
ALSO = ("database", "log", "pid", "holders", "started_at")


@click.command()
@name_option
@json_option
@click.pass_context
def status(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a server's status. Exits 0 when it is ready, 1 when it is not, 4 when it does not exist."""
    paths = Paths.default()
    tidy(paths)
    folder = InstanceFolder(paths, name)
    found = read_status(folder, folder.require_record())
    if as_json:
        echo_json(found)
    else:
        _show(found)
    ctx.exit(0 if found["state"] == "ready" else 1)


def _show(found: dict[str, Any]) -> None:
    for key in (*SHOWN, *ALSO):
        value = found[key]
        if value in (None, []):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        click.echo(f"{key.replace('_', ' '):<15} {clean(text)}")
    for key, value in (found["tls"] or {}).items():
        if value:
            click.echo(f"{TLS_ROWS[key]:<15} {as_called(ENV_PRINTS) if value is True else clean(value)}")
    if found["room"] is not None:
        *sizes, hint = (found["room"][key] for key in ("used", "limit", "left", "full", "hint"))
        click.echo(f"{'room':<15} {DatabaseRoom(*sizes)}")
        if hint:
            click.echo(f"hint: {hint}")
    if found["state"] == "crashed":
        click.echo(f"{'exit':<15} {found['exit']}")
        for line in log_tail(Path(found["log"]), 8):
            click.echo(f"  {clean(line.expandtabs())}")
        click.echo(f"hint: start it again with: {up_command(found['name'])}")
