"""Parameter types: numbers, durations, ids of runs and workflows."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ...config.durations import parse_seconds
from ...errors import OptionError

if TYPE_CHECKING:
    from ...client.target import Target

MOST_OFFERED = 50
COMPLETION_SECONDS = 1.5  # to connect and to answer


class Number(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; `nan`, and without a `max` also `inf`, is wrong usage."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class Duration(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """A duration in seconds, written as `5s`, `200ms`, `1h30m`, `30d` or a plain number of seconds.

    Args:
        positive: Whether a duration of 0 is wrong usage.
    """

    name = "duration"

    def __init__(self, *, positive: bool = False) -> None:
        self._positive = positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds.

        Raises:
            OptionError: The text is not a duration.
        """
        option = param.opts[-1] if param is not None else "the value"
        found = parse_seconds(str(value), option)
        if self._positive and not found:
            raise OptionError(f"{option} {value} is not longer than 0", hint=f"leave {option} out")
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The value in --help."""
        return "TIME"


class RunId(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The id of a run, checked before a server is asked."""

    name = "run id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id.

        Raises:
            OptionError: It is not a UUID.
        """
        try:
            uuid.UUID(value or str(uuid.UUID(int=0)))
        except ValueError:
            hint = "a run id is a UUID, as in 0198c6f2-7cb1-7c2b-a3f0-2d4a5b6c7d8e"
            raise OptionError(f"{value} is not a run id", hint=hint) from None
        return str(value)


class WorkflowId(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """The id of a workflow; a shell offers those that the server lists in time.

    Args:
        closed: Whether closed workflows are offered too.
    """

    name = "workflow id"

    def __init__(self, *, closed: bool = False) -> None:
        self._closed = closed

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The newest ids with that beginning, with their types; of one type where the command knows it."""
        from .shell_completion import quietly

        found = quietly(lambda: _workflow_ids(ctx, incomplete, open_only=not self._closed)) or {}
        return [CompletionItem(name, help=kind) for name, kind in found.items()]


def _workflow_ids(ctx: click.Context, prefix: str, *, open_only: bool) -> Mapping[str, str]:
    """Workflow types by ids, as the server lists them within the time for a completion."""
    import asyncio

    from ...client.list_filters import quote
    from ...client.target import find_target
    from .connection import connection_of
    from .input_command import CALLED

    target = find_target(connection_of(ctx.params))
    conditions = ["CloseTime IS NULL"] if open_only else []
    called = ctx.meta.get(CALLED)
    if called is not None and called.type is not None:
        conditions.append(f"WorkflowType = {quote(called.type)}")
    if prefix:
        conditions.append(f"WorkflowId STARTS_WITH {quote(prefix)}")
    return asyncio.run(asyncio.wait_for(_listed(target, " AND ".join(conditions)), COMPLETION_SECONDS))


async def _listed(target: Target, query: str) -> Mapping[str, str]:
    """An id that a shell takes for several words is left out."""
    from ...client.calls import ServiceCalls
    from ...client.target import connect

    calls = ServiceCalls(await connect(target))
    found = [row async for row in calls.list_workflows(query, MOST_OFFERED)]
    ids = {row.execution.workflow_id: row.type.name for row in found}
    return {name: kind for name, kind in ids.items() if name.isprintable() and " " not in name}
