"""`devserver observe`: ready configuration for Prometheus and for the Datadog Agent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .metrics import find_servers, find_workers, where_options
from .options.server import json_option
from .render.terminal import clean

if TYPE_CHECKING:
    from ..metrics.config import DatadogCoverage, MonitoringConfig, ScrapeSource
    from ..metrics.scraper import FindEndpoint

FORM = 1
TOOLS = ("prometheus", "datadog")


@click.command()
@click.argument("tool", type=click.Choice(TOOLS))
@where_options
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write files into this folder. [the main one is printed]",
)
@click.option("--force", is_flag=True, help="Replace files of other content.")
@json_option
def observe(
    tool: str,
    name: str | None,
    servers: tuple[str, ...],
    workers: tuple[str, ...],
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make configuration that lets Prometheus, or the Datadog Agent with its integration for Temporal, watch a server
    and its workers. The metrics it needs are looked for at the real endpoints, and what they do not have yet is told.

    Exits 0, 4 when a server or a worker cannot be asked.
    """
    import asyncio

    from ..metrics.config import datadog_config, prometheus_config, write_files

    found = asyncio.run(_ask(find_servers(name, servers, needed=True), "server"))
    of_workers = asyncio.run(_ask(find_workers(workers), "worker"))
    if tool == "prometheus":
        config = prometheus_config(found, of_workers, with_rules=output is not None)
    else:
        config = datadog_config(found, of_workers)
    paths = dict(zip(config.files, write_files(output, config.files, force=force) if output else [], strict=False))
    if as_json:
        click.echo(json.dumps(_as_json(tool, config, paths), indent=2))
        return
    if not paths:
        click.echo("---\n".join(config.files.values()), nl=False)
    for path in paths.values():
        click.echo(clean(f"written: {path}"))
    for line in _said(config):
        click.echo(clean(line), err=not paths)


async def _ask(finds: Sequence[FindEndpoint], kind: Literal["server", "worker"]) -> list[ScrapeSource]:
    """Each endpoint and how it spells its metrics now."""
    from ..metrics.config import ScrapeSource
    from ..metrics.scraper import scrape_endpoint

    found = []
    for find in finds:
        where = find()
        found.append(ScrapeSource(where, (await scrape_endpoint(where, kind)).spellings))
    return found


def _as_json(tool: str, config: MonitoringConfig, paths: Mapping[str, Path]) -> dict[str, object]:
    """The documented form (docs/json.md)."""
    return {
        "form": FORM,
        "tool": tool,
        "files": [
            {"name": name, "path": str(paths[name]) if paths else None, "text": text}
            for name, text in config.files.items()
        ],
        "needs": [asdict(each) for each in config.needs],
        "coverage": [asdict(each) for each in config.coverage],
        "notes": list(config.notes),
    }


def _said(config: MonitoringConfig) -> list[str]:
    """What was found at the endpoints."""
    said = [f"note: {note}" for note in config.notes]
    for each in config.coverage:
        said += _covered(each)
    if config.needs:
        missing = [each.name for each in config.needs if not each.there]
        said.append(f"the alerts need {len(config.needs)} metrics; {len(config.needs) - len(missing)} are there now")
        if missing:
            said.append(f"not yet, as nothing of theirs has happened: {', '.join(missing)}")
    return said


def _covered(found: DatadogCoverage) -> list[str]:
    sent, added, later, elsewhere = (
        len(names) for names in (found.exposed, found.added, found.not_yet, found.elsewhere)
    )
    return [
        f"{found.url}: the integration sends on {sent} of its metrics, and {added} more by extra_metrics",
        f"not there now: {later}, most of which are recorded when they first happen (a failure, a timeout)",
        f"never there: {elsewhere}, of parts that a dev server does not run",
        f"not sent on: {len(found.unknown)}; --json has all names",
    ]
