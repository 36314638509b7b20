"""`devserver ui`: the Web UI in a browser."""

from __future__ import annotations

import click

from ..errors import DevServerError
from ..instances.dev_server import DevServer
from .options.common import json_option, name_option
from .render.browser import open_in_browser
from .render.output import echo_form


@click.command()
@name_option
@click.option("--print", "only_print", is_flag=True, help="Print the URL without opening a browser.")
@json_option
def ui(name: str, only_print: bool, as_json: bool) -> None:
    """Open a server's Web UI in the browser, and print its URL."""
    url = DevServer.attach(name).ui_url
    if url is None:
        raise DevServerError(
            f"the instance {name} runs without the Web UI",
            hint="stop it and start it again without --no-ui",
        )
    if as_json:
        echo_form(url=url)
    else:
        click.echo(url)
    if not only_print:
        open_in_browser(url)
