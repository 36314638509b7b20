"""`devserver trace --otlp`: the workflow's spans, sent to a collector."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..spans import HistorySpan


async def send_spans(client: Client, workflow_id: str, run_id: str, how: dict[str, Any]) -> None:
    """Send them, and tell how many and under which id of a trace. `how`: the command's options."""
    from ..spans.histories import MOST_DEPTH, spans_of
    from ..spans.otlp import otlp_exporter, send

    endpoint, depth, include_open = how["otlp"], how["depth"], how["otlp_open"]
    exporter = otlp_exporter(endpoint)
    ids: set[int] = set()

    async def noted() -> AsyncIterator[HistorySpan]:
        async for span in spans_of(client, workflow_id, run_id, depth=MOST_DEPTH if depth is None else depth):
            ids.add(span.trace_id)
            yield span

    sent = await send(noted(), exporter, where=endpoint, include_open=include_open)
    trace_id = f"{ids.pop():032x}"
    if how["as_json"]:
        shown = {"trace_id": trace_id, "sent": sent.spans, "open": sent.open, "endpoint": endpoint}
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(f"sent {_spans(sent.spans)} of trace {trace_id} to {endpoint}")
    if sent.open and not include_open:
        click.echo(
            f"not sent: {_spans(sent.open)} of what goes on (do this again when it has ended, or add --otlp-open)"
        )


def _spans(count: int) -> str:
    return f"{count:,} span" + ("" if count == 1 else "s")
