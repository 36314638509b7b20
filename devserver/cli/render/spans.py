"""`devserver trace --otlp`: the workflow's spans, sent to a collector or printed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ...system.timefmt import lasted
from .output import echo_form, echo_json_line
from .terminal import clean

if TYPE_CHECKING:
    from ...history import HistoryReader
    from ...otel import HistorySpan

SHOWN = "-"


async def send_spans(reader: HistoryReader, workflow_id: str, run_id: str, how: dict[str, Any]) -> None:
    """Send them, or print them if the endpoint is `-`. `how`: the command's options."""
    from ...otel import spans_of
    from ...otel.histories import MAX_DEPTH

    depth = MAX_DEPTH if how["depth"] is None else how["depth"]
    spans = spans_of(reader, workflow_id, run_id, depth=depth)
    if how["otlp"] != SHOWN:
        await _send(spans, how)
    elif how["as_json"]:
        async for span in spans:
            echo_json_line(**_plain(span))
    else:
        await _show(spans)


async def _send(spans: AsyncIterator[HistorySpan], how: dict[str, Any]) -> None:
    from ...otel.otlp import otlp_exporter, send, without_secrets

    include_open = how["otlp_open"]
    exporter = otlp_exporter(how["otlp"])
    endpoint = without_secrets(how["otlp"])
    trace_id = ""

    async def noted() -> AsyncIterator[HistorySpan]:
        nonlocal trace_id
        async for span in spans:
            trace_id = f"{span.trace_id:032x}"
            yield span

    sent = await send(noted(), exporter, where=endpoint, include_open=include_open)
    if how["as_json"]:
        shown = {"trace_id": trace_id, "sent": sent.spans, "open": sent.open, "endpoint": endpoint}
        echo_form(**shown)
        return
    click.echo(f"sent {_many(sent.spans)} of trace {trace_id} to {endpoint}")
    if sent.open and not include_open:
        click.echo(f"not sent: {_many(sent.open)} of open steps (repeat this when they have ended, or add --otlp-open)")


async def _show(spans: AsyncIterator[HistorySpan]) -> None:
    from ...otel import SpanTree

    tree = SpanTree(tuple([span async for span in spans]))
    click.echo(f"trace {tree.root.trace_id:032x}")
    for depth, span in tree.walk():
        took = lasted(span.end - span.start) if span.end is not None else "open"
        why = click.style(f": {clean(span.error)}", fg="red") if span.error is not None else ""
        click.echo(f"{span.span_id:016x}  {'  ' * depth}{clean(span.name)}, {took}{why}")


def _plain(span: HistorySpan) -> dict[str, Any]:
    """A span as JSON (docs/json.md)."""
    ids = {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
    ids["parent_id"] = "" if span.parent_id is None else f"{span.parent_id:016x}"
    times = {"start": span.start.isoformat(), "end": None if span.end is None else span.end.isoformat()}
    events = [{**asdict(event), "at": event.at.isoformat()} for event in span.events]
    return {**asdict(span), **ids, **times, "events": events}


def _many(count: int) -> str:
    return f"{count:,} span" + ("" if count == 1 else "s")
