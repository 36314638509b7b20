"""The option by which a command is told of which run of a workflow it shall speak."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import click

from ...errors import OptionError


def run_id_option(*names: str, about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--run-id`, seen to be one before a server is asked: empty if it was not given."""
    return click.option("--run-id", *names, default="", metavar="ID", callback=_checked, help=about)


def _checked(_: click.Context, __: click.Parameter, run_id: str) -> str:
    try:
        uuid.UUID(run_id or str(uuid.UUID(int=0)))
    except ValueError:
        hint = "a run id is a UUID, as in 0198c6f2-7cb1-7c2b-a3f0-2d4a5b6c7d8e"
        raise OptionError(f"{run_id} is no run id", hint=hint) from None
    return run_id
