"""Commands for the Temporal CLI's executable: `devserver binary install|list|prune`."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "install": "Download and verify an executable.",
        "list": "List known and installed versions.",
        "prune": "Remove executables that are not needed.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS)
def binary() -> None:
    """Install, list and prune versions of the Temporal CLI, whose server `devserver up` runs."""
