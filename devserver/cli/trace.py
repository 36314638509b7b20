"""`devserver trace`: what a workflow did, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import Connection, Target
from ..errors import OptionError
from . import _trace_words as words
from ._connection_options import connection_options
from ._instance_options import json_option

if TYPE_CHECKING:
    from ..history.trace import Chain, Tracer, Wanted


@click.command()
@click.argument("workflow_id", metavar="WORKFLOW_ID")
@click.option("--run-id", "-r", default="", metavar="ID", help="The execution that this run belongs to. [the current]")
@click.option("--depth", type=click.IntRange(min=0), metavar="N", help="So many levels of children. [all]")
@click.option("--failures", is_flag=True, help="Only what failed, and the way there.")
@click.option("--no-fold", is_flag=True, help="Repeated steps one by one.")
@connection_options
@json_option
def trace(
    connection: Connection,
    workflow_id: str,
    run_id: str,
    depth: int | None,
    failures: bool,
    no_fold: bool,
    as_json: bool,
) -> None:
    """Show what a workflow did: its activities, timers, signals, updates, Nexus operations and children, across all
    of its runs.

    Exits 0 when it could be shown, 4 when the server cannot be asked or has no such workflow.
    """
    import asyncio

    from ..history.trace import Wanted

    _check_run_id(run_id)
    wanted = Wanted(depth=depth, failures=failures, folds=not no_fold)
    asyncio.run(_trace(connection, workflow_id, run_id, wanted))


def _check_run_id(run_id: str) -> None:
    import uuid

    try:
        uuid.UUID(run_id or str(uuid.UUID(int=0)))
    except ValueError:
        raise OptionError(
            f"{run_id} is no run id", hint="a run id is a UUID, as in 0198c6f2-7cb1-7c2b-a3f0-2d4a5b6c7d8e"
        ) from None


async def _trace(connection: Connection, workflow_id: str, run_id: str, wanted: Wanted) -> None:
    from ..connection import connect, find_target
    from ..history.trace import Tracer

    target = find_target(connection)
    tracer = Tracer(await connect(target))
    chain = await tracer.chain(workflow_id, run_id)
    await _print_tree(tracer, chain, wanted, target)


async def _print_tree(tracer: Tracer, chain: Chain, wanted: Wanted, target: Target) -> None:
    from ..history.trace import walk
    from ._trace_text import Tree, heading, width_now

    tree = Tree(tracer, width=width_now(), signs=words.shows_signs(), depth=wanted.depth)
    async for told in walk(tracer, chain, wanted):
        async for line in tree.lines(told):
            click.echo(line)
    for line in heading(chain, target.label):
        click.echo(line)
