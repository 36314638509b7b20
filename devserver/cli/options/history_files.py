"""Histories in files in place of a server: the option, and what counts as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import OptionError
from ..render.terminal import clean

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

    from ...history import StoredHistories
    from ...search import Hit

SUFFIXES = (".json", ".json.gz")  # of what is a file without a doubt; an id may well end in .bin
MAX_NOTES = 10


def file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--file`; the command gets `files`."""
    return click.option(
        "--file",
        "files",
        multiple=True,
        metavar="PATH",
        help="Read histories from this file or folder, not from a server; - is standard input. Repeatable.",
    )(function)


def names_files(workflow_id: str) -> bool:
    """Whether an argument is a file or a folder with histories, and not a workflow id.

    Raises:
        OptionError: It is the name of a file that does not exist.
    """
    if workflow_id == "-":
        return True
    path = Path(workflow_id)
    try:
        if path.is_dir():
            return "/" in workflow_id or any(path.glob("*.json")) or any(path.glob("*.json.gz"))
        if path.is_file():
            return True
    except (OSError, ValueError):  # too long for a file, or with a zero byte
        return False
    if workflow_id.lower().endswith(SUFFIXES):
        raise OptionError(
            f"there is no file {workflow_id}", hint=f"if this is a workflow id, write --workflow-id {workflow_id}"
        )
    return False


def stored_histories(files: tuple[str, ...], converter: DataConverter | None) -> StoredHistories:
    """The histories of files and folders. Files that are none are named on stderr.

    Raises:
        HistoryFileError: There is no history.
    """
    from ...history import StoredHistories, find_histories

    found = [find_histories(place) for place in files]
    skipped = [reason for each in found for reason in each.skipped]
    for reason in skipped[:MAX_NOTES]:
        click.echo(f"note: skipped: {clean(reason)}", err=True)
    if len(skipped) > MAX_NOTES:
        click.echo(f"note: skipped: {len(skipped) - MAX_NOTES} more files", err=True)
    return StoredHistories([history for each in found for history in each.histories], converter)


def file_words(files: tuple[str, ...], hit: Hit) -> list[str]:
    """`devserver trace` of a hit's workflow in the same files."""
    named = [word for place in files for word in ("--file", place)]
    return ["devserver", "trace", *named, "--run-id", hit.run_id, "--workflow-id", hit.workflow_id]
