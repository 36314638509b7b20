"""How `devserver run` tells what happens: what it runs, then a line for each event; or JSON, an event a line."""

from __future__ import annotations

import shlex
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...config.option_values import DEFAULT_NAME
from ..options.connection import trace_words, words_of
from .output import echo_json_line
from .terminal import clean, width_now

if TYPE_CHECKING:
    from ...worker.config import WorkerOptions
    from ...worker.events import WorkerEvent

KEY_WIDTH = 12
HANGING = "         "
MOST_LINES = 14  # of an error's details


def json_line(event: WorkerEvent) -> None:
    """An event as a line of JSON (docs/json.md)."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.at))
    echo_json_line(event=event.kind, at=at, **event.facts)


class Lines:
    """Events for a person."""

    def __init__(self, wanted: WorkerOptions) -> None:
        self._wanted = wanted
        self._shown: Mapping[str, Any] = {}

    def show(self, event: WorkerEvent) -> None:
        """Print one."""
        if event.kind == "running" and not self._shown:
            for line in banner(event.facts, self._wanted):
                click.echo(line)
        else:
            colour, words = self._told(event)
            lines = wrapped(words)
            stamp = click.style(time.strftime("%H:%M:%S", time.localtime(event.at)), dim=True)
            click.echo(f"{stamp} {click.style(lines[0], fg=colour)}")
            for line in lines[1:]:
                click.echo(line)
            for line in event.facts.get("details", ())[-MOST_LINES:]:
                click.echo(HANGING + clean(line))
            if event.facts.get("hint"):
                for line in wrapped(f"-> {event.facts['hint']}", HANGING):
                    click.echo(line)
        if event.kind in ("running", "replaced"):
            self._shown = event.facts

    def _told(self, event: WorkerEvent) -> tuple[str | None, str]:
        facts = event.facts
        if event.kind == "replaced":
            return "green", "the new code runs" + differences(self._shown, facts)
        if event.kind in ("nondeterminism", "workflow_task_failed", "workflow_failed"):
            return "red", _workflow(event.kind, facts, self._trace(facts["workflow_id"]))
        colour, tell = _TOLD[event.kind]
        return colour, tell(facts)

    def _trace(self, workflow_id: str) -> str:
        return shlex.join(trace_words(self._wanted.connection, workflow_id))


def banner(facts: Mapping[str, Any], wanted: WorkerOptions) -> Iterator[str]:
    """What the worker works on and where, a line each."""
    yield click.style(f"{clean(facts['module'])} runs; Ctrl-C stops it", bold=True)
    width = width_now()
    for key, value in _rows(facts, wanted):
        indent = " " * (KEY_WIDTH + 2) if width >= 3 * KEY_WIDTH else "    "
        yield from textwrap.wrap(
            f"  {key:<{KEY_WIDTH}}{clean(value)}",
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _rows(facts: Mapping[str, Any], wanted: WorkerOptions) -> Iterator[tuple[str, str]]:
    name = facts["instance"]
    instance = "" if name in (None, DEFAULT_NAME) else f" (instance {name})"
    yield "task queue", facts["task_queue"]
    yield "server", f"{facts['address']}{instance}, namespace {facts['namespace']}"
    if facts["ui_url"]:
        yield "web ui", f"{facts['ui_url']}/namespaces/{facts['namespace']}/workflows"
    for key, title in (("workflows", "workflows"), ("activities", "activities"), ("nexus_services", "nexus")):
        if facts[key]:
            yield title, ", ".join(facts[key]) + (_endpoints(facts) if title == "nexus" else "")
    if facts["version"]:
        version = facts["version"]
        yield "version", f"build {version['build']} of the deployment {version['deployment']}, {version['behavior']}"
        if not version["current"]:
            words = ["devserver", "deployment", "set-current", version["deployment"], version["build"]]
            command = shlex.join([*words, *words_of(wanted.connection)])
            yield "", f"no new workflow comes to it until it is current: {command}"
    yield from _besides(facts, wanted)
    if facts["metrics_url"]:
        yield "metrics", facts["metrics_url"]
    for note in facts["notes"]:
        yield "note", note
    yield "reload", "when its code changes" if facts["reload"] else "off"


def _besides(facts: Mapping[str, Any], wanted: WorkerOptions) -> Iterator[tuple[str, str]]:
    """What was asked for besides the module."""
    if wanted.data_converter:
        yield "converter", wanted.data_converter
    if facts["plugins"]:
        yield "plugins", ", ".join(facts["plugins"])
    if not wanted.large_payloads:
        yield "payloads", "all of them in the history"
    if wanted.otlp is not None:
        from ...otel.otlp import without_secrets

        yield "spans", without_secrets(wanted.otlp)


def _endpoints(facts: Mapping[str, Any]) -> str:
    names = ", ".join(facts["nexus_endpoints"])
    return f" (endpoint {names})" if names else " (no endpoint leads here: --nexus-endpoint NAME makes one)"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What has come and gone."""
    told = ""
    for key, title in (("workflows", "workflow"), ("activities", "activity"), ("nexus_services", "Nexus service")):
        old, new = before.get(key, ()), now.get(key, ())
        told += "".join(f"; new {title} {each}" for each in new if each not in old)
        told += "".join(f"; without {title} {each}" for each in old if each not in new)
    return told


def _workflow(kind: str, facts: Mapping[str, Any], trace: str) -> str:
    who = f"workflow {facts['workflow_id']} ({facts['workflow_type']})" if facts["workflow_id"] else "a workflow"
    what = {
        "nondeterminism": "cannot go on with the changed code",
        "workflow_task_failed": "does not go on: its code fails and is tried again",
        "workflow_failed": "failed",
    }[kind]
    look = f" ({trace})" if facts["workflow_id"] else ""
    return f"{who} {what}: {facts['message']}{_at(facts)}{look}"


def _activity(facts: Mapping[str, Any]) -> str:
    who = f" of {facts['workflow_id']}" if facts["workflow_id"] else ""
    return f"activity {facts['activity']}{who} failed, attempt {facts['attempt']}: {facts['message']}{_at(facts)}"


def _at(facts: Mapping[str, Any]) -> str:
    return f" [{facts['place']}]" if facts.get("place") else ""


def _not_ready(facts: Mapping[str, Any]) -> str:
    return f"{facts['module']} is not ready after {facts['seconds']:g} s: it is still imported, or the server is slow"


def _broken(facts: Mapping[str, Any]) -> str:
    effect = "the worker keeps running the old code" if facts["old_code_runs"] else "no worker runs until it is fixed"
    return f"the new code does not run, {effect}: {facts['message']}"


def _died(facts: Mapping[str, Any]) -> str:
    again = "it starts again when the code is mended"
    if facts["restart_in"] is not None:
        again = f"it starts again in {facts['restart_in']:g} s"
    return f"the worker has ended ({facts['reason']}); {again}"


def _draining(facts: Mapping[str, Any]) -> str:
    count = facts["activities"]
    some = "1 activity still runs" if count == 1 else f"{count} activities still run"
    return f"{some} in the worker that stops, for {facts['grace']:g} s at most"


def _gone(facts: Mapping[str, Any]) -> str:
    return facts.get("message") or f"the server at {facts['address']} does not answer; the worker waits for it"


_TOLD: Mapping[str, tuple[str | None, Callable[[Mapping[str, Any]], str]]] = {
    "not_ready": ("yellow", _not_ready),
    "running": ("green", lambda _: "the worker runs again"),
    "changed": (None, lambda facts: f"changed: {', '.join(facts['files'])}"),
    "broken": ("red", _broken),
    "draining": (None, _draining),
    "grace_over": ("yellow", lambda _: "activities did not end in time; the server retries them when they time out"),
    "died": ("red", _died),
    "server_gone": ("red", _gone),
    "server_back": ("green", lambda facts: f"the server at {facts['address']} answers again"),
    "activity_failed": ("yellow", _activity),
    "sdk_error": ("red", lambda facts: f"the SDK says: {facts['message']}"),
    "stopping": (None, lambda _: "stopping; Ctrl-C again ends it at once"),
}


def wrapped(text: str, first: str = "") -> Sequence[str]:
    """In lines as wide as the terminal; the first begins after its time, the others below it."""
    width = width_now()
    hanging = HANGING if width >= 3 * len(HANGING) else "  "
    lines = textwrap.wrap(
        clean(text),
        width,
        initial_indent=first or " " * len(HANGING),
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines if first else [lines[0].lstrip(), *lines[1:]]
