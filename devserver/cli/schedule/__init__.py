"""Commands for schedules: `devserver schedule create|list|describe|preview|trigger|backfill|pause|unpause|delete`."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "backfill": "Run the actions missed between FROM and TO.",
        "create": "Create a schedule.",
        "delete": "Delete a schedule.",
        "describe": "Show a schedule.",
        "list": "List the schedules of a namespace.",
        "pause": "Pause a schedule: it does not act until it is unpaused.",
        "preview": "Show the next times and what each overlap policy does.",
        "trigger": "Run a schedule's action now, with --overlap-policy or its own policy.",
        "unpause": "Unpause a schedule: it acts again.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS, modules={"delete": "pause", "unpause": "pause"})
def schedule() -> None:
    """Create, preview and manage schedules."""
