"""HTML pages as single files: their templates, and a file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..errors import DevServerError
from .files import NO_ROOM
from .printable import visible

if TYPE_CHECKING:
    from jinja2 import Environment


class PageNotWritten(DevServerError):
    """The page cannot be written: permissions, a missing folder, a full disk."""


@contextlib.contextmanager
def page_file(file: Path) -> Iterator[TextIO]:
    """Open the page `file` for writing; a context manager.

    A temporary file is written and renamed, so that an existing page stays until the new one is complete. An existing
    file keeps its mode, and a symbolic link its target.

    Raises:
        PageNotWritten: The file cannot be written; no part of it is left.
    """
    aside: Path | None = None
    try:
        target = file.resolve()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".page-", suffix=".part")
        aside = Path(name)
        # JSON may contain lone surrogates, which are not text.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as out:
            yield out
        aside.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
        aside.replace(target)
        aside = None
    except OSError as error:
        room = "make room, or " if error.errno in NO_ROOM else ""
        raise PageNotWritten(
            f"cannot write the page to {file}: {error.strerror}", hint=f"{room}choose another file with --html"
        ) from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()


def page_templates(package: str) -> Environment:
    """The templates of a package, which show what others have named as text: no markup, no control characters.

    They can include what all pages share, as `shared/base.css`.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    own, shared = PackageLoader(package, "templates"), PackageLoader("devserver.system", "templates")
    return Environment(
        loader=ChoiceLoader([own, PrefixLoader({"shared": shared})]),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _visible(value: object) -> object:
    """What is put into the page, without control characters: names and messages come from others."""
    return visible(value, keep="\n\t") if type(value) is str else value
