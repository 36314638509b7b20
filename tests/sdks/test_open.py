"""Open workflows of each SDK: where they wait, what is pending, what is blocked, and commands without their code."""

from __future__ import annotations

import json
import re
from typing import Any

from .conftest import FourSdks, line_of
from .official import microseconds

# The code that waits for the approval, and that for the activity.
APPROVAL = {
    "python": "await workflow.wait_condition(",
    "typescript": "await condition(",
    "go": "workflow.AwaitWithTimeout(",
    "java": "Workflow.await(",
}
MISTAKE = {
    "python": "return prices[item]",
    "typescript": "prices[item]",
    "go": "prices[item]",
    "java": "prices.get(item)",
}
FAILURE = {
    "python": "KeyError: 'tea'",
    "typescript": "Cannot read properties of undefined (reading 'toString')",
    "go": "PanicError: runtime error: invalid memory address or nil pointer dereference",
    "java": "java.lang.NullPointerException: Cannot invoke ",
}
TAKES = [
    ("signal", "approve", "Approve the order."),
    ("update", "change", "Change the number of pieces."),
    ("query", "state", "Progress of the order."),
]


def traced(four_sdks: FourSdks, *words: str) -> dict[str, Any]:
    """The trace of a workflow as JSON."""
    return dict(json.loads(four_sdks.devserver("trace", *words, "--json")))


def test_where_an_open_order_waits(four_sdks: FourSdks, sdk: str) -> None:
    """Its worker says the line of its code, and what it takes; Python's line comes from a replay with its module."""
    module = ("--module", "examples/sdks/python/orders.py") if sdk == "python" else ()
    waits = traced(four_sdks, f"{sdk}-open", "--waits", *module)["waits"]
    assert any(f":{line_of(sdk, APPROVAL[sdk])} in " in stack[0] for stack in waits["stacks"]), waits
    assert [(handler["kind"], handler["name"], handler["description"]) for handler in waits["handlers"]] == TAKES
    assert waits["notes"] == []
    (timer,) = [step for step in traced(four_sdks, f"{sdk}-open")["runs"][0]["steps"] if step["timer_seconds"] == 3600]
    assert timer["status"] == "running"


def test_a_pending_activity_is_that_of_the_description(four_sdks: FourSdks, sdk: str) -> None:
    """State, attempts, worker, start and heartbeat details are those of `workflow describe`."""
    described = four_sdks.cli("workflow", "describe", "--workflow-id", f"{sdk}-packing")
    (pending,) = described["pendingActivities"]
    (step,) = traced(four_sdks, f"{sdk}-packing")["runs"][0]["steps"]
    assert {key: step[key] for key in ("id", "name", "status", "attempts", "identity", "started", "heartbeat")} == {
        "id": pending["activityId"],
        "name": pending["activityType"]["name"],
        "status": pending["state"].removeprefix("PENDING_ACTIVITY_STATE_").lower().replace("started", "running"),
        "attempts": pending["attempt"],
        "identity": pending["lastWorkerIdentity"],
        "started": microseconds(pending["lastStartedTime"]),
        "heartbeat": [json.dumps(value) for value in pending["heartbeatDetails"]],
    }


def test_a_mistake_in_the_code_is_stuck(four_sdks: FourSdks, sdk: str) -> None:
    """`stuck` names the exception of the workflow's code and its line; so does the trace."""
    (finding,) = json.loads(four_sdks.devserver("stuck", f"{sdk}-broken", "--json", status=1))["findings"]
    described = four_sdks.cli("workflow", "describe", "--workflow-id", f"{sdk}-broken")
    assert finding["kind"] == "workflow_task_failing"
    assert finding["last_failure"].startswith(FAILURE[sdk])
    assert finding["task_queue"] == described["workflowExecutionInfo"]["taskQueue"] == sdk
    assert 2 <= finding["attempts"] <= described["pendingWorkflowTask"]["attempt"]
    assert re.search(
        rf":{line_of(sdk, MISTAKE[sdk])}\b|line {line_of(sdk, MISTAKE[sdk])},", "\n".join(finding["failure"])
    )
    steps = traced(four_sdks, f"{sdk}-broken")["runs"][0]["steps"]
    (failed,) = [step for step in steps if step["kind"] == "workflow_task_failure"]
    assert failed["last_failure"] == finding["last_failure"]


def test_commands_without_the_code(four_sdks: FourSdks, sdk: str) -> None:
    """`start`, `query`, `update`, `signal`, `result`, `reset`, `cancel` and `terminate` need a name and JSON only."""
    name = f"{sdk}-by-hand"
    run = four_sdks.devserver
    order = json.dumps({"item": "tea", "count": 2})
    run("workflow", "start", "Order", "--task-queue", sdk, "--input", order, "-w", name)
    run("workflow", "update", "change", name, "--input", "5")
    assert run("workflow", "query", "state", name).strip().startswith('"')
    run("workflow", "signal", "approve", name, "--input", '"bob"')
    assert run("workflow", "result", name) == '"approved by bob"\n'
    run("workflow", "reset", name, "--before", "charge", "--yes")
    assert run("workflow", "result", name) == '"approved by bob"\n'
    packing = f"{sdk}-packing-by-hand"
    run("workflow", "start", "Packing", "--task-queue", sdk, "--input", '"tea"', "-w", packing)
    run("workflow", "cancel", packing)
    run("workflow", "result", packing, status=1)
    run("workflow", "start", "Packing", "--task-queue", sdk, "--input", '"tea"', "-w", packing)
    run("workflow", "terminate", packing, "--reason", "by hand")
    assert traced(four_sdks, packing)["runs"][-1]["status"] == "terminated"
