"""The name by which the command line was called: usage texts, errors and hints say what works for this user.

`devserver` and `temporal-devserver` are the same program. The Temporal CLI runs the second one for
`temporal devserver`; `uvx` and `pipx run` run it from an environment that is not on the user's PATH.
"""

from __future__ import annotations

import pkgutil
import re
import sys
from pathlib import Path

import click

from .extension import DISTRIBUTION, EXTENSION

USUAL = "devserver"


def program_name() -> str:
    """The words that call this program again."""
    return called(sys.argv[0], sys.prefix)


def called(program: str, prefix: str) -> str:
    """The words that call a program again.

    Args:
        program: Its path, as `sys.argv[0]` has it; or `temporal devserver`.
        prefix: The folder of its Python environment.
    """
    parts = Path(prefix).parts
    if any(part.startswith("archive-v") for part in parts) and "uv" in parts:
        return f"uvx {DISTRIBUTION}"
    if "pipx" in parts and "venvs" not in parts:
        return f"pipx run {DISTRIBUTION}"
    name = Path(program).name.removesuffix(".exe")
    return name if name in (DISTRIBUTION, EXTENSION) else USUAL


def as_called(text: str) -> str:
    """A text with its commands (`devserver down`) as they are typed by who called this program."""
    name = program_name()
    return text if name == USUAL else renamed(text, name)


def renamed(text: str, name: str) -> str:
    """A text with commands of `devserver` as commands of `name`; other uses of the word stay."""
    commands = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    words = "|".join([*commands, "--help", "--version"])
    return re.sub(rf"(?<![\w./=:@-])(?<!temporal )devserver (?=(?:{words})(?![\w-]))", f"{name} ", text)


class CalledFormatter(click.HelpFormatter):
    """Writes a help text with commands as they are typed by who called this program."""

    def getvalue(self) -> str:
        """The text."""
        return as_called(super().getvalue())


class CalledContext(click.Context):
    """A command's context whose help says how the program was called."""

    formatter_class = CalledFormatter
