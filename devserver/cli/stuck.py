"""`devserver stuck`: what an on-call person must know of the open workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ..connection import Connection, Target
from ..errors import DevServerError, OptionError
from ..moments import age
from ..options import parse_duration
from . import _stuck_text as text
from ._connection_options import connection_options, trace_words
from ._instance_options import json_option, watch_option
from ._terminal import clean, stamp
from ._workflow_id import WorkflowId

if TYPE_CHECKING:
    from ..history import Finding, StuckReport


SHOW = ("workflow", "show")


class Asking:
    """Looks at one server; finds and connects to it anew after a look that failed."""

    def __init__(self, connection: Connection, wanted: dict[str, Any]) -> None:
        self._connection = connection
        self._wanted = wanted
        self._client: Any = None
        self.target: Target | None = None

    async def look(self) -> tuple[StuckReport, Target]:
        """What is stuck now, and where that is."""
        from ..connection import connect, find_target
        from ..history import find_stuck

        if self._client is None or self.target is None:
            self.target = find_target(self._connection)
            self._client = await connect(self.target)
        try:
            return await find_stuck(self._client, **self._wanted), self.target
        except DevServerError:
            self._client = None
            raise

    def offer(self, finding: Finding) -> Sequence[str]:
        """The command that is offered for a finding; our own where a workflow is to be shown."""
        if finding.command[:2] == SHOW:
            return trace_words(self._connection, finding.workflow_id)
        return [*self.target.cli, *finding.command] if self.target is not None and finding.command else ()


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

    from ..history import Thresholds

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
        report, target = asyncio.run(asking.look())
        if as_json:
            click.echo(json.dumps(text.as_json(report, target.address), indent=2))
        else:
            click.echo("\n".join(text.screen(report, target.label, asking.offer)))
        ctx.exit(1 if report.stuck else 0)
    asyncio.run(_watch(asking, watch, as_json))


async def _watch(asking: Asking, seconds: float, as_json: bool) -> None:
    from ._watching import JsonLines, Screen, View, redraws, watch

    view: View[tuple[StuckReport, Target]] = Changes()
    if as_json:
        view = JsonLines(text.FORM, lambda seen: text.as_json(seen[0], seen[1].address))
    elif redraws():
        view = Screen(seconds, lambda seen: text.screen(seen[0], seen[1].label, asking.offer), lambda seen: seen[0].at)
    await watch(asking.look, view, seconds)


class Changes:
    """One line when something gets stuck or is over, or when the server stops or begins to answer."""

    def __init__(self) -> None:
        self._stuck: dict[tuple[str, ...], Finding] | None = None
        self._failed = ""

    def show(self, seen: tuple[StuckReport, Target]) -> None:
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
        from ..moments import utc_now

        if error.message != self._failed:
            click.echo(f"{utc_now()} ! {clean(error.message)}")
        self._failed = error.message
