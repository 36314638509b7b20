"""The output of `devserver run`: a banner, then a line for each event; or JSON, one event on each line."""

from __future__ import annotations

import shlex
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...config.option_values import DEFAULT_NAME
from ...worker.events import IS_STOPPED
from ..options.connection import trace_words, words_of
from .output import echo_json_line
from .terminal import clean, width_now

if TYPE_CHECKING:
    from ...worker.config import WorkerOptions
    from ...worker.events import WorkerEvent

KEY_WIDTH = 12
COMMAND = "command"  # a row with a command: a line of its own, whole so that it can be copied
HANGING = "         "
WORKFLOW_STATES = {
    "nondeterminism": "cannot continue, its history does not match the code",
    "workflow_task_failed": "is blocked, its workflow task fails and is retried",
    "workflow_failed": "failed",
    "workflow_terminated": "was terminated by the server",
    "answer_refused": "gave an answer that the server refuses",
}
MAX_DETAILS = 14  # of an error's details


def json_line(event: WorkerEvent) -> None:
    """Print an event as a line of JSON (docs/json.md)."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.at))
    echo_json_line(event=event.kind, at=at, **event.facts)


class WorkerLines:
    """Prints events for a terminal or a log."""

    def __init__(self, wanted: WorkerOptions) -> None:
        self._wanted = wanted
        self._shown: Mapping[str, Any] = {}

    def show(self, event: WorkerEvent) -> None:
        """Print an event."""
        if event.kind == "running" and not self._shown:
            for line in banner(event.facts, self._wanted):
                click.echo(line)
        else:
            color, words = self._text(event)
            lines = wrapped(words)
            stamp = click.style(time.strftime("%H:%M:%S", time.localtime(event.at)), dim=True)
            click.echo(f"{stamp} {click.style(lines[0], fg=color)}")
            for line in lines[1:]:
                click.echo(line)
            for line in event.facts.get("details", ())[-MAX_DETAILS:]:
                click.echo(HANGING + clean(line))
            if event.facts.get("hint"):
                for line in wrapped(f"-> {event.facts['hint']}", HANGING):
                    click.echo(line)
        if event.kind in ("running", "replaced"):
            self._shown = event.facts

    def _text(self, event: WorkerEvent) -> tuple[str | None, str]:
        facts = event.facts
        if event.kind == "replaced":
            return "green", "reloaded" + differences(self._shown, facts)
        if event.kind in WORKFLOW_STATES:
            return "red", _workflow(event.kind, facts, self._trace(facts["workflow_id"]))
        color, tell = _EVENTS[event.kind]
        return color, tell(facts)

    def _trace(self, workflow_id: str) -> str:
        return shlex.join(trace_words(self._wanted.connection, workflow_id))


def banner(facts: Mapping[str, Any], wanted: WorkerOptions) -> Iterator[str]:
    """The banner: what the worker runs and where, in lines."""
    yield click.style(f"Running {clean(facts['module'])}; press Ctrl-C to stop", bold=True)
    width = width_now()
    for key, value in _rows(facts, wanted):
        indent = " " * (KEY_WIDTH + 2) if width >= 3 * KEY_WIDTH else "    "
        if key == COMMAND:
            yield indent + clean(value)
            continue
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
            yield "", "gets no new workflows until it is current:"
            yield COMMAND, shlex.join([*words, *words_of(wanted.connection)])
    yield from _options(facts, wanted)
    if facts["metrics_url"]:
        yield "metrics", facts["metrics_url"]
    for note in facts["notes"]:
        yield "note", note
    yield "reload", "when code changes" if facts["reload"] else "off"


def _options(facts: Mapping[str, Any], wanted: WorkerOptions) -> Iterator[tuple[str, str]]:
    """The options that differ from their defaults."""
    if wanted.data_converter:
        yield "converter", wanted.data_converter
    if facts["plugins"]:
        yield "plugins", ", ".join(facts["plugins"])
    if not wanted.large_payloads:
        yield "payloads", "large payloads stay in the history"
    if wanted.otlp is not None:
        from ...otel.otlp import without_secrets

        yield "spans", without_secrets(wanted.otlp)


def _endpoints(facts: Mapping[str, Any]) -> str:
    names = ", ".join(facts["nexus_endpoints"])
    return f" (endpoint {names})" if names else " (no endpoint points here; create one with --nexus-endpoint NAME)"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What was added and removed."""
    text = ""
    for key, title in (("workflows", "workflow"), ("activities", "activity"), ("nexus_services", "Nexus service")):
        old, new = before.get(key, ()), now.get(key, ())
        text += "".join(f"; new {title} {name}" for name in new if name not in old)
        text += "".join(f"; removed {title} {name}" for name in old if name not in new)
    return text


def _workflow(kind: str, facts: Mapping[str, Any], trace: str) -> str:
    workflow = f"workflow {facts['workflow_id']} ({facts['workflow_type']})"
    if not facts["workflow_id"]:  # it was not decoded
        workflow = f"the workflow with run id {facts['run_id']}"
    command = f" ({trace})" if facts["workflow_id"] else ""
    return f"{workflow} {WORKFLOW_STATES[kind]}: {facts['message']}{_at(facts)}{command}"


def _activity(facts: Mapping[str, Any]) -> str:
    workflow = f" of workflow {facts['workflow_id']}" if facts["workflow_id"] else ""
    return f"activity {facts['activity']}{workflow} failed, attempt {facts['attempt']}: {facts['message']}{_at(facts)}"


def _at(facts: Mapping[str, Any]) -> str:
    return f" [{facts['place']}]" if facts.get("place") else ""


def _not_ready(facts: Mapping[str, Any]) -> str:
    stopped = facts["phase"] == IS_STOPPED
    doing = "a signal has stopped its process" if stopped else f"its process still {facts['phase']}"
    return f"{facts['module']} is not ready after {facts['seconds']:g} s: {doing}"


def _broken(facts: Mapping[str, Any]) -> str:
    effect = "the worker keeps running the old code" if facts["old_code_runs"] else "no worker runs until it is fixed"
    return f"the new code fails, {effect}: {facts['message']}"


def _died(facts: Mapping[str, Any]) -> str:
    restart = "restarts when the code changes"
    if facts["restart_in"] is not None:
        restart = f"restarts in {facts['restart_in']:g} s"
    return f"the worker ended ({facts['reason']}); {restart}"


def _draining(facts: Mapping[str, Any]) -> str:
    count = facts["activities"]
    activities = "1 activity" if count == 1 else f"{count} activities"
    return f"waiting up to {facts['grace']:g} s for {activities} to finish"


def _grace_over(facts: Mapping[str, Any]) -> str:
    if not facts["activities"]:
        return "killed the old worker, which did not stop in time"
    return (
        "stopped activities that did not finish in time; the server notices at their timeout, and retries them as "
        "their retry policy says"
    )


def _gone(facts: Mapping[str, Any]) -> str:
    return facts.get("message") or f"the server at {facts['address']} {facts['problem']}; the worker waits for it"


_EVENTS: Mapping[str, tuple[str | None, Callable[[Mapping[str, Any]], str]]] = {
    "not_ready": ("yellow", _not_ready),
    "running": ("green", lambda _: "the worker is running again"),
    "changed": (None, lambda facts: f"changed: {', '.join(facts['files'])}"),
    "broken": ("red", _broken),
    "draining": (None, _draining),
    "grace_over": ("yellow", _grace_over),
    "died": ("red", _died),
    "server_gone": ("red", _gone),
    "server_back": ("green", lambda facts: f"the server at {facts['address']} answers again"),
    "activity_failed": ("yellow", _activity),
    "poll_refused": ("red", lambda facts: f"{facts['message']}; the worker gets no tasks and tries again"),
    "sdk_error": ("red", lambda facts: f"SDK error: {facts['message']}"),
    "stopping": (None, lambda _: "stopping; press Ctrl-C again to stop at once"),
}


def wrapped(text: str, first: str = "") -> Sequence[str]:
    """A text in lines as wide as the terminal, indented below the time of the first line."""
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
