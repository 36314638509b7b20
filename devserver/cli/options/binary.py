"""The options that say which executable to use: shared by `install` and every command that starts a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...executables.models import SOURCES

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--binary",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Run this executable of yours, where it lies.",
    ),
    click.option(
        "--source",
        type=click.Choice(SOURCES),
        help="Take the executable from this source only. Default: all, in this order.",
    ),
    click.option("--offline/--online", default=None, help="Never touch the network."),
    click.option("--base-url", metavar="URL", help="Where the download service, or a mirror of it, is."),
    click.option(
        "--require-pinned/--no-require-pinned",
        default=None,
        help="Refuse an executable whose SHA-256 is not known beforehand.",
    ),
    click.option("--accept-sha256", metavar="HEX", help="Accept an executable with this SHA-256 as if it were pinned."),
)


def binary_options(function: F) -> F:
    """Add the options. The command gets them as `binary`, `source`, `offline`, `base_url`, `require_pinned`
    and `accept_sha256`, each None where it was not given, for `BinaryRequest.of`.
    """
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
