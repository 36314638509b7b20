"""`devserver ui`: the Web UI in a browser."""

from __future__ import annotations

import subprocess
import sys

import click

from ..errors import DevServerError
from ..instances.dev_server import DevServer
from ..system.paths import which
from .options.common import json_option, name_option
from .render.output import echo_form

OPENER_SECONDS = 2.0


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
    if not only_print and not _open_in_browser(url):
        click.echo("hint: no browser could be opened here; open the URL yourself", err=True)


def _open_in_browser(url: str) -> bool:
    """Give the URL to the desktop's opener; False if there is none, or if it fails. What it prints is not shown."""
    opener = which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return False
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([opener, url], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        return process.wait(OPENER_SECONDS) == 0
    except subprocess.TimeoutExpired:  # the browser itself: it runs until it is closed
        return True
