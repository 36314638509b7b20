"""What closed and open workflows of each SDK did, in every command: held against the official CLI, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import FourSdks
from .official import Step, attributes_of, differences, microseconds, steps, text, texts

# The names of an order's steps.
COMMON = ["check", "charge", "decline", "timer", "Shop", "note", "timer", "change", "approve", "Delivery"]
OWN = {
    "python": ["patch", "TemporalChangeVersion"],
    "typescript": ["patch", "TemporalChangeVersion"],
    "go": ["version", "TemporalChangeVersion", "side effect", "mutable side effect"],
    "java": ["version", "side effect", "mutable side effect"],
}
# Of the step's line in the tree.
LINES = (
    'check (local), {duration}  {input}→ "tea in stock"',
    "charge, ",
    '2 attempts  summary: charge the card  {{"',
    '"count": 2',
    '→ "paid 2"',
    "Busy: payment service is busy",
    "decline, failed, ",
    "CardDeclined: card declined",
    'non-retryable, details {{"code": 7}}',
    "timer 100 ms  summary: wait for the bank",
    'search attributes Shop  = "lisbon"',
    'memo note  = "hello"',
    "timer 1h, {timer}",
    "update change, ",
    '3 → "3 pieces"',
    'signal approve  "ann"',
    "Delivery {sdk}-order-delivery, ",
    '"Lisbon" → "on its way to Lisbon"',
    'completed  "approved by ann"',
)
TIMER = {"python": "canceled", "typescript": "canceled", "go": "unfinished", "java": "unfinished"}
UNTIMED = ("go", "java")
SLEEP = 0.06  # of the activity `check`


def run_of(four_sdks: FourSdks, workflow_id: str, *words: str) -> dict[str, Any]:
    """The run of a workflow as `trace --json` has it."""
    (run,) = json.loads(four_sdks.devserver("trace", workflow_id, "--json", *words))["runs"]
    return dict(run)


@pytest.mark.parametrize("kind", ["order", "open", "order-delivery", "packing"])
def test_each_step_is_that_of_the_history(four_sdks: FourSdks, sdk: str, kind: str) -> None:
    """`trace --json` has every step of `workflow show`, with the same times, values, attempts and failures, and no
    other."""
    workflow_id = f"{sdk}-{kind}"
    events = four_sdks.cli.events(workflow_id)
    official = steps(events)
    run = run_of(four_sdks, workflow_id)
    assert "\n".join(differences(_open(official), run["steps"])) == ""
    if kind == "order":
        names = [_name(step) for step in official if step["kind"] != "workflow_task_failure"]
        assert sorted(names) == sorted([*COMMON, *OWN[sdk]])
        (check,) = [step for step in run["steps"] if step["name"] == "check"]
        assert sdk in UNTIMED or check["seconds"] >= SLEEP
    assert run["events"] == len(events)


def _open(official: list[Step]) -> list[Step]:
    """The steps without the status of those that are open: a history does not know what runs at the moment."""
    return [{key: value for key, value in step.items() if (key, value) != ("status", "open")} for step in official]


def _name(step: Step) -> str:
    if step.get("values"):
        (name,) = step["values"]
        return str(name)
    return str(step["kind"] if step["kind"] == "timer" else step["name"])


def test_the_run_is_that_of_the_description(four_sdks: FourSdks, sdk: str) -> None:
    """Type, task queue, status, times, input, result, memo, search attributes, worker and length are those of
    `workflow describe` and `workflow show`."""
    workflow_id = f"{sdk}-order"
    info = four_sdks.cli("workflow", "describe", "--workflow-id", workflow_id)["workflowExecutionInfo"]
    events = four_sdks.cli.events(workflow_id)
    started, closed = attributes_of(events[0]), attributes_of(events[-1])
    workers = {
        attributes_of(event)["identity"] for event in events if event["eventType"].endswith("WORKFLOW_TASK_STARTED")
    }
    fields = info["searchAttributes"]["indexedFields"]
    run = run_of(four_sdks, workflow_id)
    assert {
        "type": info["type"]["name"],
        "run_id": info["execution"]["runId"],
        "task_queue": info["taskQueue"],
        "status": info["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_").lower(),
        "started": microseconds(info["startTime"]),
        "closed": microseconds(info["closeTime"]),
        "input": texts(started["input"]),
        "result": texts(closed["result"]),
        "memo": {name: json.dumps(value) for name, value in info["memo"]["fields"].items()},
        "search_attributes": {name: text(value) for name, value in fields.items() if name != "BuildIds"},
        "workers": sorted(workers),
        "events": int(info["historyLength"]),
    }.items() <= {**run, "workers": sorted(run["workers"])}.items()


def test_the_tree_and_the_page_show_each_step(four_sdks: FourSdks, sdk: str, tmp_path: Path) -> None:
    """Each line of the tree is right in every SDK; the page and `--follow` have the same steps."""
    workflow_id, page = f"{sdk}-order", tmp_path / "page.html"
    tree = four_sdks.devserver("trace", workflow_id)
    for line in LINES:
        duration = "duration unknown" if sdk in UNTIMED else ""
        wanted = line.format(sdk=sdk, duration=duration, input='"tea" ' if sdk == "java" else "", timer=TIMER[sdk])
        for part in wanted.split(", ") if not duration and line.startswith("check") else [wanted]:
            assert part.strip() in tree, tree
    assert ("patch c" if sdk not in UNTIMED else "version c = 4") in tree
    if sdk in UNTIMED:
        assert "side effect  → 1234" in tree
        assert "mutable side effect cfg  → 5" in tree
    four_sdks.devserver("trace", workflow_id, "--html", str(page))
    followed = four_sdks.devserver("trace", workflow_id, "--follow")
    for name in ("check", "charge", "decline", "timer 100 ms", "approve", "change", "Delivery", "CardDeclined"):
        assert name in page.read_text()
        assert name in followed


def test_searches_find_each_step(four_sdks: FourSdks, sdk: str) -> None:
    """Each activity, timer, signal, update and child is a hit with the fields that the trace has."""
    query = f"WorkflowId = '{sdk}-order'"
    run = run_of(four_sdks, f"{sdk}-order")
    hits = four_sdks.lines("search", "--query", query, "--attempts", ">=1")
    found = {hit["event_id"]: hit for hit in hits if hit["kind"] in ("activity", "local_activity")}
    wanted = [step for step in run["steps"] if step["kind"] in ("activity", "local_activity")]
    assert sorted(found) == sorted(step["closed_event_id"] for step in wanted)
    for step in wanted:
        hit = found[step["closed_event_id"]]
        same = ("kind", "name", "id", "seconds")
        assert {key: hit[key] for key in same} == {key: step[key] for key in same}
        assert hit["note"] == step["note"].strip('"')
        assert (hit["attempt"], hit["state"], hit["worker"]) == (step["attempts"], step["status"], step["identity"])
        assert hit["last_failure"] == (step["last_failure"] or "")
    declined = four_sdks.lines("search", "--query", query, "--failure", "card declined")
    assert [hit["name"] for hit in declined] == ["decline"]
    bank = four_sdks.lines("search", "wait for the bank", "--query", query)
    assert [hit["kind"] for hit in bank] == ["timer"]


def test_spans_have_the_times_of_the_steps(four_sdks: FourSdks, sdk: str) -> None:
    """Each step that takes time is a span from its start to its end; an unknown duration is marked."""
    run = run_of(four_sdks, f"{sdk}-order")
    spans = four_sdks.lines("trace", f"{sdk}-order", "--otlp", "-")
    of_run = {
        span["attributes"]["temporal.event_id"]: span
        for span in spans
        if span["attributes"].get("temporal.run_id") == run["run_id"] and "temporal.event_id" in span["attributes"]
    }
    timed = ("activity", "local_activity", "timer", "update", "child", "workflow_task_failure")
    wanted = [step for step in run["steps"] if step["kind"] in timed]
    assert len(of_run) == len(wanted)
    for step in wanted:
        span = of_run[step["event_id"]]
        assert span["error"] == (step["last_failure"] if step["status"] == "failed" else None)
        assert ("temporal.duration_unknown" in span["attributes"]) == (step["seconds"] is None)
        if step["seconds"] is not None:
            assert span["start"].replace("+00:00", "Z") == step["scheduled"]
            assert span["end"].replace("+00:00", "Z") == step["closed"]


def test_a_downloaded_history_is_the_same(four_sdks: FourSdks, sdk: str, tmp_path: Path) -> None:
    """A file of `workflow show --output json` gives the trace that the server gives."""
    file = tmp_path / "history.json"
    words = ("workflow", "show", "--workflow-id", f"{sdk}-order", "--output", "json")
    file.write_text(four_sdks.cli.text(*words))
    on_server, in_file = run_of(four_sdks, f"{sdk}-order"), run_of(four_sdks, f"{sdk}-order", "--file", str(file))
    for run in (on_server, in_file):
        for step in run["steps"]:
            step.pop("runs", None)
            step.pop("not_shown", None)
    assert in_file == on_server
