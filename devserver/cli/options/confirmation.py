"""`--yes`, and the question that commands ask without it before they do what cannot be undone."""

from __future__ import annotations

import sys

import click

from ...errors import OptionError
from ..render.terminal import clean

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def confirm(question: str) -> None:
    """Come back only if the user says yes; what is asked goes to stderr, so stdout has the command's result alone.

    Raises:
        Exit: The user says no; exit code 1.
        OptionError: Nobody is there to answer.
    """
    try:
        said = click.confirm(clean(question), err=True)
    except click.Abort as error:
        if sys.stdin.isatty() or not isinstance(error.__context__, EOFError):
            raise
        click.echo(err=True)  # the question has no end of line
        raise OptionError("nobody is there to answer: the input is no terminal", hint="give --yes") from None
    if not said:
        click.echo("nothing was changed", err=True)
        raise click.exceptions.Exit(1)
