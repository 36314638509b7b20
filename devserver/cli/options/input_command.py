"""A command whose first argument names what is called in a user's module, and whose options are what that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..render.terminal import clean
from .inputs import InputOption, beside, given_of, options_of, read_input, unprefixed

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget, Kind

CALLED = "devserver.called"
OPTIONS = "devserver.config.server_options"


class InputCommand(click.Command):
    """Resolves its first argument before the others are read, so that options and --help are of what is called."""

    def __init__(self, *args: Any, resolve: Callable[[str], CallTarget], **more: Any) -> None:
        super().__init__(*args, **more)
        self._resolve = resolve

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with the options of what is called."""
        own = super().get_params(ctx)
        words = unprefixed(args, own)
        spec = _spec(words, own, ctx)
        if spec is not None:
            called = self._quietly(spec) if ctx.resilient_parsing else self._resolve(spec)
            if called is not None:
                ctx.meta[CALLED], ctx.meta[OPTIONS] = called, options_of(called)
                ctx.info_name = f"{ctx.info_name} {spec}"
        return super().parse_args(ctx, unprefixed(args, self.get_params(ctx)))

    def _quietly(self, spec: str) -> CallTarget | None:
        """What is called, for a shell that completes."""
        from .shell_completion import quietly

        return quietly(lambda: self._resolve(spec))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, and those of what is called."""
        theirs = ctx.meta.get(OPTIONS, [])
        return [*beside(super().get_params(ctx), theirs), *theirs]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with what was given for the input as `given` and `whole`."""
        theirs = ctx.meta.get(OPTIONS, [])
        given = given_of(theirs, ctx.params)
        ctx.params = {name: value for name, value in ctx.params.items() if name not in {each.name for each in theirs}}
        called = _with_given(ctx.meta[CALLED], ctx.params)
        ctx.params.pop("spec", None)
        ctx.params["arguments"] = _arguments(ctx, called, given, read_input(ctx.params.pop("whole", None)))
        ctx.params["called"] = called
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What is still to be written once it is known what is called."""
        pieces = super().collect_usage_pieces(ctx)
        return [pieces[0], *pieces[2:]] if CALLED in ctx.meta else pieces

    def get_help(self, ctx: click.Context) -> str:
        """As click makes it, in what stdout can show: docs are the user's."""
        return "\n".join(clean(line) for line in super().get_help(ctx).splitlines())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The input first, then the command's own options."""
        params = self.get_params(ctx)
        records = {
            "Input": [each.get_help_record(ctx) for each in params if isinstance(each, InputOption)],
            "Options": [each.get_help_record(ctx) for each in params if _is_own(each)],
        }
        for title, rows in records.items():
            shown = [row for row in rows if row is not None]
            if shown:
                with formatter.section(title):
                    formatter.write_dl(shown)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own text, or what is written about what is called."""
        called = ctx.meta.get(CALLED)
        if called is None:
            super().format_help_text(ctx, formatter)
        if called is None or not called.signature.doc:
            return
        formatter.write_paragraph()
        with formatter.indentation():
            for paragraph in called.signature.doc.split("\n\n"):
                formatter.write_text(" ".join(paragraph.split()))


def _is_own(each: click.Parameter) -> bool:
    return isinstance(each, click.Option) and not isinstance(each, InputOption)


def _with_given(called: CallTarget, params: dict[str, Any]) -> CallTarget:
    """What is called, in its module with what --data-converter and --plugin say."""
    from ...introspection.converters import with_given

    return replace(called, module=with_given(called.module, params.pop("data_converter"), params.pop("plugins")))


def _arguments(ctx: click.Context, called: CallTarget, given: dict[str, Any], whole: Any) -> list[Any]:
    import asyncio

    from ...introspection.converters import converter_in_use
    from ...introspection.errors import InvalidInput
    from ...introspection.validation import InputConverter

    module = called.module
    carrier = InputConverter(asyncio.run(converter_in_use(module)) if module.plugins else module.data_converter)
    try:
        return called.inputs.arguments_from(given, whole, carrier)
    except InvalidInput as error:
        hint = [f"hint: {error.hint}"] if error.hint else []
        raise click.UsageError("\n".join([error.message, *error.details, *hint]), ctx) from None


def _spec(args: Sequence[str], own: Sequence[click.Parameter], ctx: click.Context) -> str | None:
    """The first argument that is no option of the command's own, nor the value of one."""
    options = {word: each for each in own if isinstance(each, click.Option) for word in each.opts}
    flags = {word for each in own if isinstance(each, click.Option) for word in (*each.opts, *each.secondary_opts)}
    rest = iter(args)
    for word in rest:
        if word == "--":
            return next(rest, None)
        if not word.startswith("-") or word == "-":
            return word
        name, equals, _ = word.partition("=")
        if name not in flags and word[:2] not in flags:
            if ctx.resilient_parsing:
                return None
            raise click.UsageError(f"{name} stands before what it belongs to: that comes first, then its options", ctx)
        option = options.get(name)
        if option is not None and not equals and not option.is_flag and not option.count:
            next(rest, None)
    return None


def workflow(spec: str) -> CallTarget:
    """The workflow of a specification."""
    from ...introspection.targets import find_workflow

    return find_workflow(spec)


def handler(kind: Kind) -> Callable[[str], CallTarget]:
    """Finds the signal, query or update of a specification."""

    def resolve(spec: str) -> CallTarget:
        from ...introspection.targets import find_handler

        return find_handler(spec, kind)

    return resolve
