"""Commands for workflows: `devserver workflow start`, `signal`, `trace` and others."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "start": "Start a workflow of a module.",
        "signal": "Send a signal to a workflow.",
        "query": "Query a workflow.",
        "update": "Update a workflow.",
        "trace": "Show what a workflow did, as a tree.",
        "search": "Find steps of workflows by what happened in them.",
        "stuck": "List workflows that are blocked.",
        "replay": "Replay histories against today's code.",
        "result": "Wait for the result of a workflow.",
        "cancel": "Request the cancellation of a workflow.",
        "terminate": "Close a workflow at once.",
        "reset": "Run a workflow again from a step of its history.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS)
def workflow() -> None:
    """Start, signal, query, update, trace, search, replay and reset workflows.

    `trace`, `search`, `stuck` and `replay` also work without `workflow`. For everything else, use the Temporal CLI:
    devserver temporal -- workflow --help
    """
