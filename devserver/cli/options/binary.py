"""The options that choose an executable: for `install` and every command that starts a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...executables.models import SOURCES
from .environment import setting_option

F = TypeVar("F", bound=Callable[..., Any])

version_option = setting_option(
    "--version",
    key="version",
    metavar="VERSION",
    help="Version of the Temporal CLI whose server to run, or latest.",
)
_OPTIONS = (
    setting_option(
        "--binary",
        key="binary",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Use this Temporal CLI binary.",
    ),
    setting_option(
        "--source",
        key="source",
        type=click.Choice(SOURCES),
        show_default="all, in this order",
        help="Take the executable from this source only.",
    ),
    setting_option("--offline/--online", key="offline", default=None, help="Stay off the network, or allow it."),
    setting_option("--base-url", key="base-url", metavar="URL", help="Download service, or a mirror of it."),
    setting_option(
        "--require-pinned/--no-require-pinned",
        key="require-pinned",
        default=None,
        help="Refuse, or allow, an executable whose SHA-256 is not pinned.",
    ),
    setting_option(
        "--accept-sha256",
        key="accept-sha256",
        metavar="HEX",
        help="Accept an executable with this SHA-256 as if it were pinned.",
    ),
)


def binary_options(function: F) -> F:
    """Add the options. The command gets them as `binary`, `source`, `offline`, `base_url`, `require_pinned`
    and `accept_sha256`, each None where it was not given, for `BinaryRequest.of`.
    """
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
