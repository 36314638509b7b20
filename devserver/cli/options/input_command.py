"""A command that calls a workflow, signal, query or update of a user's module, with options for its parameters."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..render.terminal import clean
from .call_spec import looks_like_module, missing_module, spec_form, spec_of, value_of, with_type
from .inputs import InputOption, beside, given_of, options_of, read_input, unprefixed

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget, Kind

CALLED = "devserver.cli.called"
OPTIONS = "devserver.cli.input_options"


class InputCommand(click.Command):
    """Resolves its first argument before the others, so that its options and --help are those of the call's target.

    Args:
        resolve: Finds the target by the first argument.
        bare: Makes the target of a name without a module, whose code is not at hand.
    """

    def __init__(
        self, *args: Any, resolve: Callable[[str], CallTarget], bare: Callable[[str], CallTarget], **values: Any
    ) -> None:
        super().__init__(*args, **values)
        self._resolve = resolve
        self._bare = bare

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, with the options of the target."""
        own = super().get_params(ctx)
        words = unprefixed(args, own)
        spec = spec_of(words, own, ctx)
        named = value_of("--type", words, own)
        if spec is None and named and self._is_bare(words, own):
            spec, args = named, [named, *args]  # as the Temporal CLI has it, without a module
        if spec is not None:
            spec = with_type(spec, words, own)
        if spec is not None:
            called = self._quietly(spec) if ctx.resilient_parsing else self._find(spec, words, ctx)
            if called is not None:
                ctx.meta[CALLED], ctx.meta[OPTIONS] = called, options_of(called)
                ctx.info_name = f"{ctx.info_name} {spec}"
        try:
            return super().parse_args(ctx, unprefixed(args, self.get_params(ctx)))
        except click.MissingParameter as error:
            if error.param is None or error.param.name != "spec":
                raise
            raise missing_module(ctx, words) from None

    def _is_bare(self, words: Sequence[str], own: Sequence[click.Parameter]) -> bool:
        """Whether a name without a module is enough: a type needs its task queue, which else is the module's."""
        has_queue = any("--task-queue" in param.opts for param in own)
        return not has_queue or bool(value_of("--task-queue", words, own) or value_of("-t", words, own))

    def _find(self, spec: str, words: Sequence[str], ctx: click.Context) -> CallTarget:
        """The target; the error for a first argument that cannot be a module says where the module goes."""
        from ...introspection.errors import ModuleUnknown

        try:
            return self._resolve(spec)
        except ModuleUnknown as error:
            bare = spec.isidentifier() or spec == value_of("--type", words, super().get_params(ctx))
            if bare and self._is_bare(words, super().get_params(ctx)):
                return self._bare(spec)
            if looks_like_module(spec) or str(error.hint).startswith("did you mean"):
                raise
            form = spec_form(ctx)
            if "." not in form:  # MODULE:WORKFLOW; no workflow id follows
                hint = f"the first argument is {form}: {ctx.command_path} MODULE:{shlex.quote(spec)}"
            else:
                names = [word for word in words[words.index(spec) + 1 :] if not word.startswith("-")]
                where = f"MODULE:{names[0]}" if names else form
                line = f"{ctx.command_path} {where} {shlex.quote(spec)}"
                hint = f"the first argument is {form}, then the workflow id: {line}"
            raise ModuleUnknown(error.message, details=error.details, hint=hint) from None

    def _quietly(self, spec: str) -> CallTarget | None:
        """The target while a shell completes; None if it cannot be found."""
        from .shell_completion import may_import, quietly

        return quietly(lambda: self._resolve(spec) if may_import(spec.partition(":")[0]) else None)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, and those of the target."""
        inputs = ctx.meta.get(OPTIONS, [])
        return [*beside(super().get_params(ctx), inputs), *inputs]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command with the target as `called` and its input as `arguments`."""
        inputs = ctx.meta.get(OPTIONS, [])
        given = given_of(inputs, ctx.params)
        names = {option.name for option in inputs}
        ctx.params = {name: value for name, value in ctx.params.items() if name not in names}
        called = _with_given(ctx.meta[CALLED], ctx.params)
        for name in ("spec", "workflow_type"):
            ctx.params.pop(name, None)
        ctx.params["arguments"] = _arguments(ctx, called, given, read_input(ctx.params.pop("whole", None)))
        ctx.params["called"] = called
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The usage, without the first argument once it is known."""
        pieces = super().collect_usage_pieces(ctx)
        return [pieces[0], *pieces[2:]] if CALLED in ctx.meta else pieces

    def get_help(self, ctx: click.Context) -> str:
        """The help, in characters that stdout can show: docstrings are the user's."""
        return "\n".join(clean(line) for line in super().get_help(ctx).splitlines())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The input first, then the command's own options."""
        params = self.get_params(ctx)
        records = {
            "Input": [param.get_help_record(ctx) for param in params if isinstance(param, InputOption)],
            "Options": [param.get_help_record(ctx) for param in params if _is_own(param)],
        }
        for title, rows in records.items():
            shown = [row for row in rows if row is not None]
            if shown:
                with formatter.section(title):
                    formatter.write_dl(shown)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own text, or the docstring of the target."""
        called = ctx.meta.get(CALLED)
        if called is None:
            super().format_help_text(ctx, formatter)
        if called is None or not called.signature.doc:
            return
        formatter.write_paragraph()
        with formatter.indentation():
            for paragraph in called.signature.doc.split("\n\n"):
                formatter.write_text(" ".join(paragraph.split()))


def _is_own(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not isinstance(param, InputOption)


def _with_given(called: CallTarget, params: dict[str, Any]) -> CallTarget:
    """The target, with the converter of --data-converter and the plugins of --plugin."""
    from ...introspection.converters import with_options

    return replace(called, module=with_options(called.module, params.pop("data_converter"), params.pop("plugins")))


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


def workflow(spec: str) -> CallTarget:
    """The workflow of a specification."""
    from ...introspection.targets import find_workflow

    return find_workflow(spec)


def bare_workflow(name: str) -> CallTarget:
    """The workflow of a type whose code is not at hand."""
    from ...introspection import targets

    return targets.bare_workflow(name)


def bare_handler(name: str) -> CallTarget:
    """The signal, query or update of a workflow whose code is not at hand."""
    from ...introspection import targets

    return targets.bare_handler(name)


def handler(kind: Kind) -> Callable[[str], CallTarget]:
    """A function that finds the signal, query or update of a specification."""

    def resolve(spec: str) -> CallTarget:
        from ...introspection.targets import find_handler

        return find_handler(spec, kind)

    return resolve
