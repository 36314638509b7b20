"""`devserver stuck`: what an on-call person must know of the open workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection, Target
from ...config.server_options import parse_duration
from ...errors import DevServerError, OptionError
from ...system.timefmt import age
from ..options.client import Asker
from ..options.connection import connection_options, trace_words
from ..options.server import json_option, watch_option
from ..options.workflow_id import WorkflowId
from ..render import stuck as text
from ..render.terminal import clean, stamp

if TYPE_CHECKING:
    from typing import TypeAlias

    from ...stuck import Finding, StuckReport

    Seen: TypeAlias = tuple[StuckReport, Target]

SHOW = ("workflow", "show")


class Asking:
    """Looks at what is stuck on one server."""

    def __init__(self, connection: Connection, wanted: dict[str, Any]) -> None:
        self._asker = Asker(connection)
        self._connection = connection
        self._wanted = wanted

    async def look(self) -> Seen:
        """What is stuck now, and where that is."""
        from ...stuck import find_stuck

        return await self._asker.ask(lambda client: find_stuck(client, **self._wanted))

    def lines(self, seen: Seen) -> Iterator[str]:
        """A look, for a person."""
        report, target = seen
        return text.screen(report, target.label, partial(self._offer, target))

    def _offer(self, target: Target, finding: Finding) -> Sequence[str]:
        """The command that is offered for a finding; our own where a workflow is to be shown."""
        if finding.command[:2] == SHOW:
            return trace_words(self._connection, finding.workflow_id)
        return [*target.cli, *finding.command] if finding.command else ()


@click.command()
@click.argument("workflow_id", required=False, metavar="[WORKFLOW_ID]", type=WorkflowId())
@click.option("--query", "-q", metavar="FILTER", help="Look at these open workflows only: \"WorkflowType = 'Order'\".")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Look at so many at most.")
@click.option("--attempts", type=click.IntRange(min=2), default=3, show_default=True, help="Of an activity: too many.")
@click.option("--waiting", default="1m", show_default=True, metavar="TIME", help="A task that waits longer is stuck.")
@click.option("--late", default="1m", show_default=True, metavar="TIME", help="A timer that fires later is stuck.")
@watch_option()
@connection_options
@json_option
@click.pass_context
def stuck(
    ctx: click.Context,
    /,
    connection: Connection,
    workflow_id: str | None,
    query: str | None,
    limit: int,
    watch: float | None,
    as_json: bool,
    **levels: Any,
) -> None:
    """List the open workflows that do not go on by themselves, the worst first: failing code, activities that are
    retried, task queues without a worker, tasks that nobody takes, late timers, and what is paused.

    Exits 0 when nothing is stuck, 1 when something is, 4 when the server cannot be asked.
    """
    import asyncio

    from ...stuck import Thresholds

    if workflow_id is not None and query is not None:
        raise OptionError("--query chooses among workflows, an id is one of them", hint="give one of them")
    thresholds = Thresholds(
        attempts=levels["attempts"],
        waiting=timedelta(seconds=parse_duration(levels["waiting"], "--waiting")),
        late=timedelta(seconds=parse_duration(levels["late"], "--late")),
    )
    wanted = {"workflow_id": workflow_id, "query": query, "limit": limit, "thresholds": thresholds}
    asking = Asking(connection, wanted)
    if watch is None:
        seen = asyncio.run(asking.look())
        if as_json:
            click.echo(json.dumps(_data(seen), indent=2))
        else:
            click.echo("\n".join(asking.lines(seen)))
        ctx.exit(1 if seen[0].stuck else 0)
    asyncio.run(_watch(asking, watch, as_json))


def _data(seen: Seen) -> dict[str, Any]:
    """A look, in the documented form (docs/json.md)."""
    report, target = seen
    return text.as_json(report, target.address)


async def _watch(asking: Asking, seconds: float, as_json: bool) -> None:
    from ..render.live import JsonLines, Screen, View, redraws, watch

    view: View[Seen] = Changes()
    if as_json:
        view = JsonLines(text.FORM, _data)
    elif redraws():
        view = Screen(seconds, asking.lines, lambda seen: seen[0].at)
    await watch(asking.look, view, seconds)


class Changes:
    """One line when something gets stuck or is over, or when the server stops or begins to answer."""

    def __init__(self) -> None:
        self._stuck: dict[tuple[str, ...], Finding] | None = None
        self._failed = ""

    def show(self, seen: Seen) -> None:
        """A look."""
        report, target = seen
        now = {finding.key: finding for finding in report.findings}
        if self._failed:
            click.echo(f"{stamp(report.at)} ! the server answers again")
            self._failed = ""
        if self._stuck is None:
            click.echo(f"{stamp(report.at)} {text.summary(report, target.label)}")
        before = self._stuck or {}
        for key, finding in before.items():
            if key not in now:
                lasted = f" (after {age(report.at - finding.since)})" if finding.since else ""
                click.echo(text.change("-", finding, report.at, lasted))
        for key, finding in now.items():
            if key not in before:
                click.echo(text.change("+", finding, report.at))
        self._stuck = now

    def failed(self, error: DevServerError) -> None:
        """No look."""
        from ...system.timefmt import utc_now

        if error.message != self._failed:
            click.echo(f"{utc_now()} ! {clean(error.message)}")
        self._failed = error.message
