"""Commands for the project's settings: `devserver config show|schema`."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "show": "Show each setting and where it comes from.",
        "schema": "Print the JSON schema of settings files and reports.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS)
def config() -> None:
    """Show the settings of a project: those of its file, of environment variables, and the defaults."""
