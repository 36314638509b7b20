"""Commands for services: `devserver service install|remove|status`."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "install": "Start a server at each login.",
        "remove": "Stop starting a server at login.",
        "status": "Show whether a server starts at login.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS)
def service() -> None:
    """Start a server at login, with a systemd user unit or a launchd agent."""
