"""Commands for drills: one question about a user's own workflow each."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Questions": {
        "pause": "How do I pause it, and does nothing start meanwhile?",
        "stop": "How do I stop it, and does it clean up?",
        "detect": "Things go wrong: how will I notice?",
        "handover": "How do I finish it by hand?",
    },
}
MODULES = dict.fromkeys(("pause", "stop", "detect", "handover"), "commands")


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS, modules=MODULES)
def drill() -> None:
    """Try one question on your own workflow, in five minutes, on a server of its own.

    \b
    devserver drill pause orders.py:Order --name Ada --amount 3
    """
