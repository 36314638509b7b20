"""`devserver metrics`: metrics of a server and its workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..config.option_values import DEFAULT_NAME
from ..config.settings import default_instance
from ..errors import CannotAsk, DevServerError, OptionError
from .options.common import json_option, limit_option, watch_option
from .options.environment import EnvironmentOption
from .render import metrics as text
from .render.output import echo_json, echo_lines
from .render.terminal import clean, stamp

if TYPE_CHECKING:
    from ..metrics import MetricsEndpoint, MetricsReport, Scraper
    from ..metrics.scraper import FindEndpoint


_ENDPOINTS = (
    click.option(
        "--name",
        cls=EnvironmentOption,
        envvar="DEVSERVER_NAME",
        show_envvar=True,
        literal=DEFAULT_NAME,
        metavar="NAME",
        help="Name of the devserver instance.",
    ),
    click.option("--server", "servers", multiple=True, metavar="URL", help="Metrics of another server. Repeatable."),
    click.option("--worker", "workers", multiple=True, metavar="HOST:PORT", help="Metrics of a worker. Repeatable."),
)


def endpoint_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose servers and workers; `find_servers` and `find_workers` read them."""
    for option in reversed(_ENDPOINTS):
        function = option(function)
    return function


@click.command()
@endpoint_options
@click.option("--namespace", "-n", metavar="NAME", show_default="all", help="Only count this namespace.")
@limit_option(10)
@watch_option(", with rates")
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
    """Show metrics of a server and its workers: workflows, activities, task queues, requests, latencies, errors,
    storage, memory; slots, caches and waiting times of workers. Counts start with the process.

    `devserver observe` writes configuration for Prometheus and the Datadog Agent.

    Exits 0, or 4 when an endpoint cannot be read.
    """
    import asyncio

    from ..metrics import Scraper

    scraper = Scraper(find_servers(name, servers, needed=not workers), find_workers(workers), namespace)
    if watch is None:
        report = asyncio.run(scraper.scrape())
        _print(report, limit, as_json)
        ctx.exit(CannotAsk.exit_code if any(seen.error for seen in report.samples) else 0)
    asyncio.run(_watch(scraper, watch, limit, as_json))


def find_servers(name: str | None, servers: Sequence[str], *, needed: bool) -> list[FindEndpoint]:
    """How to find each server; empty if the default instance is not running and not `needed`.

    Raises:
        OptionError: --name and --server are both given, or an address is wrong.
    """
    import os

    from ..client.target import NAME
    from ..metrics import instance_endpoint, parse_endpoint

    if servers and name is not None:
        raise OptionError("--name and --server exclude each other", hint="use one of them")
    if servers:
        return [partial(_as_is, parse_endpoint(url, "--server")) for url in servers]
    managed = name or os.environ.get(NAME)
    if managed is None and not needed:
        try:
            instance_endpoint(default_instance())
        except CannotAsk:
            return []
    return [partial(instance_endpoint, managed or default_instance())]


def find_workers(workers: Sequence[str]) -> list[FindEndpoint]:
    """How to find each worker.

    Raises:
        OptionError: An address is wrong.
    """
    from ..metrics import parse_endpoint

    return [partial(_as_is, parse_endpoint(address, "--worker")) for address in workers]


def _as_is(where: MetricsEndpoint) -> MetricsEndpoint:
    return where


def _print(report: MetricsReport, limit: int, as_json: bool) -> None:
    if as_json:
        echo_json(text.as_json(report))
        return
    echo_lines(text.screen(report, limit))


async def _watch(scraper: Scraper, seconds: float, limit: int, as_json: bool) -> None:
    from .render.live import watch

    await watch(
        scraper.scrape,
        seconds,
        as_json=as_json,
        data=text.as_json,
        lines=lambda report: text.screen(report, limit),
        at=lambda report: report.at,
        changes=MetricsLines(),
    )


class MetricsLines:
    """One line for each endpoint and time; an endpoint without metrics is reported once, and when it answers again."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def show(self, seen: MetricsReport) -> None:
        """Print a line for each endpoint."""
        for number, each in enumerate(seen.samples):
            if each.error is not None:
                self._fail(f"{each.kind} {number}", each.error, stamp(seen.at))
                continue
            back = self._failed.pop(f"{each.kind} {number}", None) or self._failed.pop("", None)
            if back:
                click.echo(f"{stamp(seen.at)} ! {clean(text.name(each))} answers again")
            if each.restarted:
                click.echo(f"{stamp(seen.at)} ! {clean(text.name(each))} was restarted: its counts start at 0")
            click.echo(f"{stamp(seen.at)} {text.line(each)}")

    def failed(self, error: DevServerError) -> None:
        """Print why there is no report, once."""
        from ..system.timefmt import utc_now

        self._fail("", error, utc_now())

    def _fail(self, key: str, error: DevServerError, at: str) -> None:
        if self._failed.get(key) != error.message:
            click.echo(f"{at} ! {clean(error.message)}")
        self._failed[key] = error.message

    def stop(self) -> None:
        """Nothing to end."""
