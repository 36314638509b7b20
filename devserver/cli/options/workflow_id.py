"""WORKFLOW_ID on a command line: a shell offers those that the server has, if it says so at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from .connection import connection_of

if TYPE_CHECKING:
    from ...client.target import Target

MOST = 50
SECONDS = 1.5  # to connect and to answer


class WorkflowId(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """The id of a workflow: of an open one, unless `closed` ones will do."""

    name = "workflow id"

    def __init__(self, *, closed: bool = False) -> None:
        self._closed = closed

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The newest whose ids begin so, with their types; of the type that is called, if one is."""
        from .shell_completion import quietly

        found = quietly(lambda: _ask(ctx, incomplete, open_only=not self._closed)) or {}
        return [CompletionItem(each, help=kind) for each, kind in found.items()]


def _ask(ctx: click.Context, prefix: str, *, open_only: bool) -> Mapping[str, str]:
    """Types by ids, as the server lists them within our time."""
    import asyncio

    from ...client.list_filters import quote
    from ...client.target import find_target
    from .input_command import CALLED

    target = find_target(connection_of(ctx.params))
    conditions = ["CloseTime IS NULL"] if open_only else []
    called = ctx.meta.get(CALLED)
    if called is not None and called.type is not None:
        conditions.append(f"WorkflowType = {quote(called.type)}")
    if prefix:
        conditions.append(f"WorkflowId STARTS_WITH {quote(prefix)}")
    return asyncio.run(asyncio.wait_for(_listed(target, " AND ".join(conditions)), SECONDS))


async def _listed(target: Target, query: str) -> Mapping[str, str]:
    """An id that a shell would take for several words is left out."""
    from ...client.calls import ServiceCalls
    from ...client.target import connect

    calls = ServiceCalls(await connect(target))
    found = [each async for each in calls.list_workflows(query, MOST)]
    ids = {each.execution.workflow_id: each.type.name for each in found}
    return {each: kind for each, kind in ids.items() if each.isprintable() and " " not in each}
