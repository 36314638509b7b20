"""Where the documentation describes an error: a command, and on terminals a link to the page."""

from __future__ import annotations

import os
import sys

from ..extension import DISTRIBUTION
from ..program_name import as_called

PAGE = "errors"


def documentation_of(error_class: str) -> str | None:
    """The command that shows the section of an error, as a link (OSC 8); None where stderr is no terminal.

    Elsewhere the output goes to files and programs, which know the class or do not need it.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") in (None, "", "dumb"):
        return None
    command = as_called(f"devserver docs {error_class}")
    url = url_of(error_class)
    return command if url is None else f"\033]8;;{url}\033\\{command}\033]8;;\033\\"


def url_of(error_class: str) -> str | None:
    """The address of the section, by the project's own metadata; None if they have none."""
    base = project_urls().get("Documentation")
    if base is None:
        return None
    page = f"{PAGE}.md" if "/tree/" in base else f"{PAGE}.html"  # in the repository, or on the site
    return f"{base.rstrip('/')}/{page}#{error_class.lower()}"


def project_urls() -> dict[str, str]:
    """The addresses of the project, by their names in `[project.urls]`."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        found = metadata(DISTRIBUTION).get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    return dict(entry.split(", ", 1) for entry in found)
