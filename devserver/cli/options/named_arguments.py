"""Arguments that can also be given as options, as the Temporal CLI spells them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True)
class NamedArgument:
    """An argument `name` that the options `flags` can give too; `metavar` is what --help shows."""

    name: str
    metavar: str
    flags: tuple[str, ...]
    help: str
    required: bool = True


def named_arguments(*arguments: NamedArgument) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the arguments, in order, and their options. The command gets each as text, None where it is missing."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_arguments(*args: Any, words: tuple[str, ...], **values: Any) -> Any:
            found = {argument.name: values.pop(f"named_{argument.name}") for argument in arguments}
            rest = list(words)
            for argument in arguments:
                if found[argument.name] is None and rest:
                    found[argument.name] = rest.pop(0)
                if found[argument.name] is None and argument.required:
                    raise click.UsageError(
                        f"Missing argument '{argument.metavar}' (or {argument.flags[0]}).", click.get_current_context()
                    )
            if rest:
                raise click.UsageError(f"Got unexpected extra argument ({' '.join(rest)})", click.get_current_context())
            return function(*args, **found, **values)

        decorated: Callable[..., Any] = with_arguments
        for argument in reversed(arguments):
            name = f"named_{argument.name}"
            option = click.option(*argument.flags, name, metavar=argument.metavar, help=argument.help)
            decorated = option(decorated)
        metavar = " ".join(item.metavar if item.required else f"[{item.metavar}]" for item in arguments)
        return click.argument("words", nargs=-1, metavar=metavar)(decorated)

    return decorate
