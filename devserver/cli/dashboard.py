"""`devserver dashboard`: this user's servers, rehearsals and clusters on one page."""

from __future__ import annotations

import sys

import click

from ..system.paths import Paths
from .options.common import json_option
from .render.browser import open_in_browser
from .render.output import echo_form


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    show_default="8235, else any free port",
    metavar="PORT",
    help="Port to listen on; 0 is any free port.",
)
@click.option("--write", is_flag=True, help="Add buttons that start, stop and restore servers.")
@click.option("--open/--no-open", "opens", default=None, help="Open the page in the browser, or not.")
@json_option
def dashboard(port: int | None, write: bool, opens: bool | None, as_json: bool) -> None:
    """Show your servers, workers, blocked workflows, rehearsals and clusters on a local page, until Ctrl-C.

    The page is for this machine only. It reads nothing while it is not open in a browser. Exits 130 after
    Ctrl-C, 0 after SIGTERM.
    """
    from ..dashboard import Dashboard
    from .render.ending import end_signals

    with end_signals() as end, Dashboard(Paths.default(), port=port, write=write) as served:
        if as_json:
            echo_form(url=served.url, write=write)
        else:
            click.echo(f"dashboard: {served.url} (Ctrl-C ends it)")
        sys.stdout.flush()
        if sys.stdout.isatty() if opens is None else opens:
            open_in_browser(served.url)
        end.wait()
