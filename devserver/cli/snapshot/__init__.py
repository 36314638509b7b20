"""Commands for snapshots: `devserver snapshot save|list|restore|delete|export|import`."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Commands": {
        "save": "Save the state of a server.",
        "list": "List the snapshots of an instance, oldest first.",
        "restore": "Replace a server's state with a snapshot.",
        "delete": "Delete snapshots.",
        "export": "Write a server's state, or a snapshot, into one file.",
        "import": "Add the snapshot in a file to those of an instance.",
    }
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS, modules={"import": "import_file"})
def snapshot() -> None:
    """Save and restore a server's state, and share it as a file."""


def size_text(size: int) -> str:
    """A size in megabytes."""
    return f"{size / 1e6:.1f} MB"
