"""Files of this distribution that are not code: the docs and the examples, in the wheel or in a checkout."""

from __future__ import annotations

from pathlib import Path

from ..errors import DevServerError

PACKAGE = Path(__file__).parents[1]


def packaged(name: str) -> Path:
    """The folder `docs` or `examples`.

    Raises:
        DevServerError: The installation has no such folder.
    """
    for folder in (PACKAGE / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise DevServerError(
        f"this installation has no {name}",
        details=[f"they belong into {PACKAGE / name}"],
        hint="install it again: pip install --force-reinstall --no-deps temporal-devserver",
    )
