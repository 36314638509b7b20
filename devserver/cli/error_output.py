"""How errors are shown: in the spelling that was typed, with advice, without credentials and control characters."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence

import click

from ..errors import DevServerError, OptionError
from .program_name import as_called


def with_advice(error: click.ClickException) -> click.ClickException:
    """The error; for an unknown option, and for an argument too many, one that says what to use."""
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return error
    params = error.ctx.command.get_params(error.ctx)
    options = [param for param in params if isinstance(param, click.Option) and not param.hidden]
    known = {name for option in options for name in option.opts} | {"--help"}
    extra = re.fullmatch(r"Got unexpected extra arguments? \((.+)\)", error.message)
    managed = "--name" in known and "--address" not in known
    if isinstance(error, click.NoSuchOption):
        from .synonyms import unknown_option

        return click.UsageError(unknown_option(error.option_name, error.possibilities or (), known), error.ctx)
    if extra and managed and not any(isinstance(param, click.Argument) for param in params):
        from .synonyms import unexpected_argument

        return click.UsageError(unexpected_argument(extra[1], error.ctx.command_path), error.ctx)
    return error


def as_typed(error: DevServerError, args: Sequence[str]) -> DevServerError:
    """The error of `devserver up` with its options in the spelling that was typed."""
    if args[:1] != ["up"]:
        return error
    from . import synonyms

    error.message = synonyms.as_typed(error.message, args)
    error.details = tuple(synonyms.as_typed(line, args) for line in error.details)
    error.hint = synonyms.as_typed(error.hint, args) if error.hint else None
    return error


def unusable(error: Exception, args: Sequence[str]) -> OptionError | None:
    """The error for an argument that is not UTF-8, has a zero byte, or is too long for the name of a file."""
    bytes_left = [arg for arg in args if any("\udc80" <= character <= "\udcff" for character in arg)]
    if isinstance(error, UnicodeEncodeError) and bytes_left:
        return OptionError(f"the argument {bytes_left[0]} is not UTF-8", hint="type it again")
    if isinstance(error, ValueError) and any("\0" in arg for arg in args):
        return OptionError("an argument has a zero byte", hint="type it again")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        longest = max(args, key=len, default="")
        return OptionError(f"the argument {longest[:40]}... is too long for the name of a file", hint="shorten it")
    return None


def output_colour() -> bool | None:
    """False if NO_COLOR turns colors off (https://no-color.org); None to let click decide by the output."""
    return False if os.environ.get("NO_COLOR") else None


def show(error: DevServerError) -> None:
    """Print an error: what went wrong, what was found, what to do."""
    colour = output_colour()
    click.echo(click.style("error: ", fg="red", bold=True) + _printable(error.message), err=True, color=colour)
    for line in error.details:
        click.echo(f"  {_printable(line, '    ')}", err=True)
    if error.hint:
        click.echo(click.style("hint: ", fg="cyan") + _printable(error.hint), err=True, color=colour)
    from .render.error_link import documentation_of

    link = documentation_of(type(error).__name__)
    if link is not None:
        click.echo(click.style("docs: ", fg="cyan") + link, err=True, color=colour)


def _printable(text: str, indent: str = "  ") -> str:
    """Text without control characters and credentials: it contains text of servers and users.

    Its further lines are indented, so that none of them looks like a hint of ours.
    """
    from .render.terminal import clean

    plain = click.unstyle(_without_secrets(as_called(text))).expandtabs()
    return f"\n{indent}".join(clean(line) for line in plain.splitlines())


def masked(error: click.ClickException) -> click.ClickException:
    """The error, without credentials and control characters in its message."""
    message = error.format_message()
    text = _printable(message)
    if text == message:
        return error
    return click.UsageError(text, error.ctx) if isinstance(error, click.UsageError) else click.ClickException(text)


def _without_secrets(text: str) -> str:
    from ..system.redact import own_secrets, without

    return without(text, own_secrets(sys.argv[1:], os.environ))
