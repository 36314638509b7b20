"""Finds the first argument of a command that calls a module, before click parses the others."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise

import click


def spec_of(args: Sequence[str], own: Sequence[click.Parameter], ctx: click.Context) -> str | None:
    """The first argument that is neither an option of the command's own nor the value of one."""
    options = {word: param for param in own if isinstance(param, click.Option) for word in param.opts}
    flags = {word for param in own if isinstance(param, click.Option) for word in (*param.opts, *param.secondary_opts)}
    rest = iter(args)
    for word in rest:
        if word == "--":
            return next(rest, None)
        if not word.startswith("-") or word == "-":
            return word
        name, equals, _ = word.partition("=")
        if name not in flags and word[:2] not in flags:
            if ctx.resilient_parsing or {"-h", "--help"} & set(args):
                return None
            module = next((each for each in args if looks_like_module(each)), None)
            if module is None:
                raise missing_module(ctx, args)
            line = shlex.join([module, *(each for each in args if each != module)])
            raise click.UsageError(
                f"{name} comes before {spec_form(ctx)}, which is first: {ctx.command_path} {line}", ctx
            )
        option = options.get(name)
        if option is not None and not equals and not option.is_flag and not option.count:
            next(rest, None)
    return None


def spec_form(ctx: click.Context) -> str:
    """The form of the first argument, such as `MODULE:WORKFLOW`."""
    return next(str(param.metavar) for param in ctx.command.params if param.name == "spec")


def looks_like_module(word: str) -> bool:
    """Whether a word can only be a module."""
    return not word.startswith("-") and (word.endswith(".py") or ":" in word or "/" in word)


def missing_module(ctx: click.Context, args: Sequence[str]) -> click.UsageError:
    """The error for a command line that names no module: what to add, and the command that needs none."""
    form = spec_form(ctx)
    example = "orders.py:Order" + {"SIGNAL": ".approve", "QUERY": ".state", "UPDATE": ".pay"}.get(
        form.split(".")[-1], ""
    )
    command = ["update", "execute"] if ctx.command.name == "update" else [str(ctx.command.name)]
    line = f"devserver temporal -- workflow {shlex.join([*command, *args])}"
    without = f" Without the workflow's code use: {line}" if args else ""
    return click.UsageError(f"Missing argument '{form}', a Python file or module such as {example}.{without}", ctx)


def with_type(spec: str, args: Sequence[str], own: Sequence[click.Parameter]) -> str:
    """MODULE with the workflow of --type, where the command has that option and MODULE names no workflow."""
    named = value_of("--type", args, own)
    return f"{spec}:{named}" if named and named != spec and ":" not in spec else spec


def value_of(option: str, args: Sequence[str], own: Sequence[click.Parameter]) -> str | None:
    """The value of an option, where the command has it and it is given."""
    if not any(option in param.opts for param in own):
        return None
    for word, following in pairwise([*args, ""]):
        if word == option and following:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None
