"""Options for the parameters of a workflow or handler. An option of ours with the same name gets a prefix."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..render.terminal import clean

if TYPE_CHECKING:
    from ...introspection.cli_inputs import InputField
    from ...introspection.targets import CallTarget

OURS = "--devserver-"
PREFIX = "input_"
MOST_INPUT = 1 << 30

input_option = click.option(
    "--input",
    "-i",
    "whole",
    metavar="JSON|@FILE|-",
    help="Whole input as JSON, also from a file or stdin. Options override it.",
)


class InputOption(click.Option):
    """An option for a parameter. `taken` are the names of all options: `--no-x` may be another parameter."""

    def __init__(self, name: str, of: InputField, taken: Sequence[str], within: str | None = None) -> None:
        self.of = of
        more: dict[str, Any] = {"multiple": of.is_many, "metavar": of.kind}
        words = f"--{of.flag}"
        if of.is_flag and f"no-{of.flag}" not in taken:
            words, more = f"{words}/--no-{of.flag}", {}
        super().__init__([words, name], default=None, help=help_of(of, within), **more)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The choices, if the type has any."""
        from ...introspection.value_parsing import choices_of, element_of

        hint = self.of.field.hint
        words = choices_of(element_of(hint) if self.of.is_many else hint)
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def help_of(of: InputField, within: str | None = None) -> str:
    """The help of a parameter: its docs, its default, and whether it is required.

    `within` is the flag of the optional parameter that it is a field of, empty for an optional argument.
    """
    from ...introspection.hints import MISSING
    from ...introspection.value_parsing import word_of

    field = of.field
    end = "[required]" if field.required else ""
    if end and within is not None:
        end = f"[required with other --{within}.*]" if within else "[required with others]"
    if field.default is not MISSING and field.default is not None:
        end = f"[default: {word_of(field.default, field.hint) or chr(34) * 2}]"
    doc = field.doc if not of.parts else f"{field.doc} As JSON, or with its own options.".strip()
    many = "Repeatable." if of.is_many else ""
    return clean(" ".join(part for part in (doc, many, end) if part))


def options_of(called: CallTarget) -> list[InputOption]:
    """The options for the parameters of a target."""
    inputs = list(called.inputs.options())
    flags = [item.flag for item in inputs]
    within = {flag: above for argument in called.inputs.arguments for flag, above in _within_optional(argument, None)}
    return [InputOption(f"{PREFIX}{number}", each, flags, within.get(each.flag)) for number, each in enumerate(inputs)]


def _within_optional(each: InputField, above: str | None) -> Iterator[tuple[str, str]]:
    """The flags of fields of optional parameters, each with the flag of that parameter."""
    if above is not None:
        yield each.flag, above
    for part in each.parts:
        yield from _within_optional(part, above if each.field.required else each.flag)


def beside(own: Sequence[click.Parameter], theirs: Iterable[InputOption]) -> Iterator[click.Parameter]:
    """A command's own parameters: an option with the name of an input is called `--devserver-NAME` now."""
    taken = {word for their in theirs for word in (*their.opts, *their.secondary_opts)}
    for item in own:
        words = (*item.opts, *item.secondary_opts)
        if not isinstance(item, click.Option) or not taken & set(words) or item.name == "help":
            yield item
            continue
        changed = copy.copy(item)
        changed.opts = [OURS + word[2:] if word in taken else word for word in item.opts]
        changed.secondary_opts = [OURS + word[2:] if word in taken else word for word in item.secondary_opts]
        yield changed


def unprefixed(args: Sequence[str], own: Sequence[click.Parameter]) -> list[str]:
    """The arguments with the present name of each `--devserver-NAME`, which always works."""
    known = {word for item in own for word in (*item.opts, *item.secondary_opts)}
    words = []
    for word in args:
        name = word.partition("=")[0]
        plain = f"--{name[len(OURS) :]}" if name.startswith(OURS) else name
        words.append(word if name in known or plain not in known else plain + word[len(name) :])
    return words


def given_of(options: Iterable[InputOption], values: Mapping[str, Any]) -> dict[str, Any]:
    """The given values by flag: text, a list of texts, or true and false."""
    given = {}
    for option in options:
        value = values.get(str(option.name))
        if value is not None and value != ():
            given[option.of.flag] = value
    return given


def read_input(text: str | None) -> Any:
    """The value of --input.

    Raises:
        UsageError: It is not JSON, or its file cannot be read.
    """
    from ...introspection.hints import MISSING
    from ...introspection.value_parsing import read_json

    if text is None:
        return MISSING
    where = text
    try:
        if text == "-":
            text = sys.stdin.read(MOST_INPUT)
        elif text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        return read_json(text)
    except OSError as error:
        raise click.UsageError(f"--input {where}: {error.strerror}") from None
    except ValueError as error:
        reason = str(error) if where == text else str(error).rpartition(" is not JSON: ")[2] or str(error)
        raise click.UsageError(f"--input {where if where != text else ''}".strip() + f": {reason}") from None
