"""`devserver observe`: configuration for Prometheus and the Datadog Agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .metrics import endpoint_options, find_servers, find_workers
from .options.common import json_option
from .render.output import echo_form
from .render.terminal import clean

if TYPE_CHECKING:
    from ..metrics.config import DatadogCoverage, MonitoringConfig, ScrapeSource
    from ..metrics.scraper import FindEndpoint

TOOLS = ("prometheus", "datadog")


@click.command()
@click.argument("tool", type=click.Choice(TOOLS))
@endpoint_options
@click.option(
    "--output-dir",
    "output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    show_default="print the main file",
    help="Folder to write the files to.",
)
@click.option("--force", is_flag=True, help="Replace files with different content.")
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
    """Write configuration that lets Prometheus, or the Datadog Agent with its Temporal integration, monitor a server
    and its workers. It is checked against the real endpoints, and metrics that are missing are reported.

    Exits 0, 4 when a server or a worker cannot be reached.
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
        echo_form(**_as_json(tool, config, paths))
        return
    if not paths:
        click.echo("---\n".join(config.files.values()), nl=False)
    for path in paths.values():
        click.echo(clean(f"wrote {path}"))
    for line in _lines(config):
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
        "tool": tool,
        "files": [
            {"name": name, "path": str(paths[name]) if paths else None, "text": text}
            for name, text in config.files.items()
        ],
        "needs": [asdict(need) for need in config.needs],
        "coverage": [asdict(item) for item in config.coverage],
        "notes": list(config.notes),
    }


def _lines(config: MonitoringConfig) -> list[str]:
    """What the endpoints have."""
    lines = [f"note: {note}" for note in config.notes]
    for coverage in config.coverage:
        lines += _covered(coverage)
    if config.needs:
        missing = [need.name for need in config.needs if not need.available]
        lines.append(f"the alerts use {len(config.needs)} metrics; {len(config.needs) - len(missing)} exist now")
        if missing:
            lines.append(f"not recorded yet: {', '.join(missing)}")
    return lines


def _covered(found: DatadogCoverage) -> list[str]:
    sent, added, later, elsewhere = (
        len(names) for names in (found.exposed, found.added, found.not_yet, found.elsewhere)
    )
    return [
        f"{found.url}: the integration collects {sent} metrics, and {added} more with extra_metrics",
        f"not recorded yet: {later}; most appear with the first failure or timeout",
        f"missing from a dev server: {elsewhere}, of components that it does not run",
        f"not collected: {len(found.unknown)}; --json lists all names",
    ]
