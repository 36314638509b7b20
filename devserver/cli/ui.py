"""`devserver ui`: the Web UI in a browser."""

from __future__ import annotations

import click

from ..errors import DevServerError
from ..instances.dev_server import DevServer
from .options.server import name_option


@click.command()
@name_option
@click.option("--print", "only_print", is_flag=True, help="Print the address and open nothing.")
def ui(name: str, only_print: bool) -> None:
    """Open a server's Web UI in the browser."""
    url = DevServer.attach(name).ui_url
    if url is None:
        raise DevServerError(
            f"the instance {name} runs without the Web UI",
            hint="stop it and start it again without --no-ui",
        )
    click.echo(url)
    if not only_print:
        click.launch(url)
