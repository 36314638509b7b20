"""`devserver metrics`: a server's and its workers' main figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..config.server_options import DEFAULT_NAME
from ..errors import CannotAsk, DevServerError, OptionError
from .options.server import json_option, watch_option
from .render import metrics as text
from .render.terminal import clean, stamp

if TYPE_CHECKING:
    from ..metrics import MetricsEndpoint, MetricsReport, Scraper
    from ..metrics.scraper import FindEndpoint


_WHERE = (
    click.option("--name", metavar="NAME", help="A managed instance. [DEVSERVER_NAME, else default]"),
    click.option("--server", "servers", multiple=True, metavar="URL", help="Another server's metrics; repeatable."),
    click.option("--worker", "workers", multiple=True, metavar="HOST:PORT", help="A worker's metrics; repeatable."),
)


def where_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say whose metrics are meant; `find_servers` and `find_workers` read them."""
    for option in reversed(_WHERE):
        function = option(function)
    return function


@click.command()
@where_options
@click.option("--namespace", "-n", metavar="NAME", help="Of what is done in this namespace only.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="Rows of a list.")
@watch_option(", and tell rates")
@json_option
@click.pass_context
def metrics(
    ctx: click.Context,
    name: str | None,
    servers: tuple[str, ...],
    workers: tuple[str, ...],
    namespace: str | None,
    limit: int,
    watch: float | None,
    as_json: bool,
) -> None:
    """Show the main figures of a server and of its workers: workflows, activities, task queues, requests, latencies,
    errors, storage, memory; slots, caches and waiting times of workers. Counts are since the process began.

    Exits 0, or 4 when one of them cannot be asked.
    """
    import asyncio

    from ..metrics import Scraper

    watcher = Scraper(find_servers(name, servers, needed=not workers), find_workers(workers), namespace)
    if watch is None:
        report = asyncio.run(watcher.look())
        _print(report, limit, as_json)
        ctx.exit(CannotAsk.exit_code if any(seen.error for seen in report.seen) else 0)
    asyncio.run(_watch(watcher, watch, limit, as_json))


def find_servers(name: str | None, servers: Sequence[str], *, needed: bool) -> list[FindEndpoint]:
    """How to find the servers that are meant; none where the default instance does not run and is not `needed`.

    Raises:
        OptionError: Both a managed instance and others are named, or an address is none.
    """
    import os

    from ..client.target import NAME
    from ..metrics import instance_endpoint, parse_endpoint

    if servers and name is not None:
        raise OptionError("--name is a managed instance, --server is another server", hint="give one of them")
    if servers:
        return [partial(_as_is, parse_endpoint(each, "--server")) for each in servers]
    managed = name or os.environ.get(NAME)
    if managed is None and not needed:
        try:
            instance_endpoint(DEFAULT_NAME)
        except CannotAsk:
            return []
    return [partial(instance_endpoint, managed or DEFAULT_NAME)]


def find_workers(workers: Sequence[str]) -> list[FindEndpoint]:
    """How to find the workers that are meant.

    Raises:
        OptionError: An address is none.
    """
    from ..metrics import parse_endpoint

    return [partial(_as_is, parse_endpoint(each, "--worker")) for each in workers]


def _as_is(where: MetricsEndpoint) -> MetricsEndpoint:
    return where


def _print(report: MetricsReport, limit: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(text.as_json(report), indent=2))
        return
    for each in text.screen(report, limit):
        click.echo(each)


async def _watch(watcher: Scraper, seconds: float, limit: int, as_json: bool) -> None:
    from .render.live import JsonLines, Screen, View, redraws, watch

    view: View[MetricsReport] = Lines()
    if as_json:
        view = JsonLines(text.FORM, text.as_json)
    elif redraws():
        view = Screen(seconds, lambda seen: text.screen(seen, limit), lambda seen: seen.at)
    await watch(watcher.look, view, seconds)


class Lines:
    """One line for each endpoint and look; what gives no figures is told once, and when it answers again."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def show(self, seen: MetricsReport) -> None:
        """A look."""
        for number, each in enumerate(seen.seen):
            if each.error is not None:
                self._fail(f"{each.kind} {number}", each.error, stamp(seen.at))
                continue
            back = self._failed.pop(f"{each.kind} {number}", None) or self._failed.pop("", None)
            if back:
                click.echo(f"{stamp(seen.at)} ! {clean(text.name(each))} answers again")
            if each.restarted:
                click.echo(f"{stamp(seen.at)} ! {clean(text.name(each))} was started anew: it counts from 0")
            click.echo(f"{stamp(seen.at)} {text.line(each)}")

    def failed(self, error: DevServerError) -> None:
        """No look at all."""
        from ..system.timefmt import utc_now

        self._fail("", error, utc_now())

    def _fail(self, key: str, error: DevServerError, at: str) -> None:
        if self._failed.get(key) != error.message:
            click.echo(f"{at} ! {clean(error.message)}")
        self._failed[key] = error.message
