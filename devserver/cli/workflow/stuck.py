"""`devserver stuck`: the open workflows that are blocked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...client.target import Target
from ...errors import DevServerError, OptionError
from ...system.timefmt import age
from ..options.client import ServerSession, converter_options, defer_sdk
from ..options.common import json_option, watch_option
from ..options.connection import connection_options, trace_words
from ..options.types import Duration
from ..options.waits import check_waits, replay_pool, waits_options
from ..options.workflow import workflow_id_parameters
from ..render import stuck as text
from ..render.output import echo_json, echo_lines
from ..render.terminal import clean, stamp

if TYPE_CHECKING:
    from typing import TypeAlias

    from temporalio.client import Client

    from ...stuck import Finding, StuckReport

    Seen: TypeAlias = tuple[StuckReport, Target]

SHOW = ("workflow", "show")


class StuckQuery:
    """Finds the blocked workflows of one server."""

    def __init__(self, connection: Connection, wanted: dict[str, Any], how: dict[str, Any]) -> None:
        self._session = ServerSession(connection, how["data_converter"], how["plugins"], reading=not how["waits"])
        self._connection = connection
        self._wanted = wanted
        self._how = how

    async def look(self) -> Seen:
        """The blocked workflows now, and the server."""
        return await self._session.call(self._find)

    async def _find(self, client: Client) -> StuckReport:
        from ...stuck import find_stuck

        progress = text.StuckProgressLines(wanted=self._how["watch"] is None)
        try:
            report = await find_stuck(client, **self._wanted, on_progress=progress.advance)
        finally:
            progress.end()
        if not self._how["waits"] or not report.stuck:
            return report
        from ...stuck.waits import add_waits

        async with replay_pool(self._connection, self._how) as pool:
            return await add_waits(client, report, pool)

    def lines(self, seen: Seen) -> Iterator[str]:
        """The lines of a report."""
        report, target = seen
        return text.screen(report, target.label, partial(self._offer, target))

    def _offer(self, target: Target, finding: Finding) -> Sequence[str]:
        """The command that is suggested for a finding; our own to show a workflow."""
        if finding.command[:2] == SHOW:
            return trace_words(self._connection, finding.workflow_id)
        return [*target.cli, *finding.command] if finding.command else ()


@click.command()
@workflow_id_parameters(required=False)
@click.option("--query", metavar="FILTER", help="Only workflows that match a list filter: \"WorkflowType = 'Order'\".")
@click.option(
    "--max-workflows",
    type=click.IntRange(min=1),
    default=1000,
    metavar="N",
    help="Maximum number of workflows to examine.",
)
@click.option(
    "--attempts",
    type=click.IntRange(min=2),
    default=3,
    metavar="NUMBER",
    help="Report an activity after this many attempts.",
)
@click.option("--waiting", type=Duration(), default="1m", help="Report tasks waiting longer than this.")
@click.option("--late", type=Duration(), default="1m", help="Report timers overdue by more than this.")
@waits_options
@watch_option()
@converter_options
@connection_options
@json_option
@click.pass_context
def stuck(
    ctx: click.Context,
    /,
    connection: Connection,
    workflow_id: str | None,
    query: str | None,
    max_workflows: int,
    as_json: bool,
    **how: Any,
) -> None:
    """List workflows that are blocked, the worst first: failing code, activities that are retried, task queues without
    a worker, tasks that no worker takes, overdue timers, and paused workflows and activities.

    Exits 0 when no workflow is blocked, 1 when one is, 4 when the server cannot be reached.
    """
    import asyncio

    defer_sdk()
    from ...stuck import Thresholds

    if workflow_id is not None and query is not None:
        raise OptionError("--query and a workflow id exclude each other", hint="use one of them")
    check_waits(how)
    thresholds = Thresholds(
        attempts=how["attempts"],
        waiting=timedelta(seconds=how["waiting"]),
        late=timedelta(seconds=how["late"]),
    )
    wanted = {"workflow_id": workflow_id, "query": query, "limit": max_workflows, "thresholds": thresholds}
    stuck_query = StuckQuery(connection, wanted, how)
    if how["watch"] is None:
        seen = asyncio.run(stuck_query.look())
        if as_json:
            echo_json(_data(seen))
        else:
            echo_lines(stuck_query.lines(seen))
        ctx.exit(1 if seen[0].stuck else 0)
    asyncio.run(_watch(stuck_query, how["watch"], as_json))


def _data(seen: Seen) -> dict[str, Any]:
    """A report as JSON (docs/json.md)."""
    report, target = seen
    return text.as_json(report, target.address)


async def _watch(query: StuckQuery, seconds: float, as_json: bool) -> None:
    from ..render.live import watch

    await watch(
        query.look,
        seconds,
        as_json=as_json,
        data=_data,
        lines=query.lines,
        at=lambda seen: seen[0].at,
        changes=StuckChanges(),
    )


class StuckChanges:
    """One line when a workflow blocks or unblocks, or when the server stops or starts to answer."""

    def __init__(self) -> None:
        self._stuck: dict[tuple[str, ...], Finding] | None = None
        self._failed = ""

    def show(self, seen: Seen) -> None:
        """Print what has changed since the last report."""
        report, target = seen
        findings = {finding.key: finding for finding in report.findings}
        if self._failed:
            click.echo(f"{stamp(report.at)} ! the server answers again")
            self._failed = ""
        if self._stuck is None:
            click.echo(f"{stamp(report.at)} {text.summary(report, target.label)}")
        before = self._stuck or {}
        for key, finding in before.items():
            if key not in findings:
                lasted = f" (after {age(report.at - finding.since)})" if finding.since else ""
                click.echo(text.change("-", finding, report.at, lasted))
        for key, finding in findings.items():
            if key not in before:
                click.echo(text.change("+", finding, report.at))
        self._stuck = findings

    def failed(self, error: DevServerError) -> None:
        """Print why there is no report, once."""
        from ...system.timefmt import utc_now

        if error.message != self._failed:
            click.echo(f"{utc_now()} ! {clean(error.message)}")
        self._failed = error.message

    def stop(self) -> None:
        """Nothing to end."""
