"""Where blocked workflows wait: asked of a worker that runs, of one that is missing, and found by a replay."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver.client import Connection
from devserver.replay import ReplayOptions, ReplayPool
from devserver.stuck import Finding, FindingWaits, Kind, StuckReport, waits
from devserver.stuck.waits import MAX_WORKFLOWS, add_waits
from tests.helpers.shared_server import SharedServer
from tests.helpers.trouble import Sleeps, worker

from .test_detector import events, run, start

CODE = """from temporalio import workflow

@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, seconds: float) -> None:
        await workflow.sleep(seconds)
"""
HOUR = 3600.0
SECOND = timedelta(seconds=1)


def finding(workflow_id: str, run_id: str, kind: Kind = "activity_paused") -> Finding:
    """A finding about a run."""
    return Finding(kind, workflow_id, run_id, "Sleeps", "q", "it is blocked", "wait")


async def with_waits(client: Client, *findings: Finding, module: str | None = None) -> list[FindingWaits | None]:
    """What `add_waits` adds to findings, in their order."""
    report = StuckReport("default", datetime.now(timezone.utc), findings)
    if module is None:
        return [each.waits for each in (await add_waits(client, report)).findings]
    connection = Connection(address=client.service_client.config.target_host, namespace=client.namespace)
    async with ReplayPool(ReplayOptions(module, connection), 1) as pool:
        return [each.waits for each in (await add_waits(client, report, pool)).findings]


def test_a_worker_says_what_a_blocked_workflow_takes(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals, and the timers with their time; a task queue without a worker costs only the limit."""
    monkeypatch.setattr(waits, "LIMIT", SECOND)

    async def story(client: Client) -> None:
        alone = await start(client, Sleeps.run, HOUR, id="alone", task_queue="nobody")
        async with worker(client):
            sleeps = await start(client, Sleeps.run, HOUR, id="sleeps")
            await events(sleeps, 5)
            runs = [(handle.id, handle.first_execution_run_id) for handle in (sleeps, alone)]
            asked, unanswered = await with_waits(client, *(finding(*each) for each in runs))
        assert asked is not None
        assert unanswered is not None
        assert [(handler.kind, handler.name) for handler in asked.handlers] == [("signal", "tell")]
        assert "name its module with --module" in asked.notes[0]
        (timer,) = asked.timers
        assert timedelta(minutes=57) < timer.due - datetime.now(timezone.utc) <= timedelta(hours=1)
        assert [*unanswered.handlers, *unanswered.timers] == []
        assert "no worker" in unanswered.notes[0]

    run(server, story)


def test_a_replay_finds_the_line(server: SharedServer, tmp_path: Path) -> None:
    """With a module the line is that of the code, also if no worker polls, which is then not asked; failing code has
    its line in its failure."""

    async def story(client: Client) -> None:
        async with worker(client):
            sleeps = await start(client, Sleeps.run, HOUR, id="sleeps")
            await events(sleeps, 5)
        run_id = sleeps.first_execution_run_id
        kinds: list[Kind] = ["no_worker", "workflow_task_failing"]
        findings = [finding("sleeps", run_id, kind) for kind in kinds]
        (tmp_path / "sleeps.py").write_text(CODE)
        replayed, failing = await with_waits(client, *findings, module="sleeps.py")
        assert failing is None
        assert replayed is not None
        assert list(replayed.stacks[0]) == ["sleeps.py:7 in run: await workflow.sleep(seconds)"]
        assert [*replayed.handlers, *replayed.notes] == []
        assert await with_waits(client, findings[0]) == [None]

    run(server, story)


def test_few_workflows_are_asked(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of many workflows asks the workers of the first only, and says so."""
    monkeypatch.setattr(waits, "LIMIT", SECOND)

    async def story(client: Client) -> None:
        many = [finding(f"w-{number}", str(uuid.uuid4())) for number in range(MAX_WORKFLOWS + 5)]
        report = await add_waits(client, StuckReport("default", datetime.now(timezone.utc), tuple(many)))
        assert [each.waits is not None for each in report.findings].count(True) == MAX_WORKFLOWS
        assert report.notes[-1].startswith(f"only {MAX_WORKFLOWS} of {MAX_WORKFLOWS + 5} workflows were asked")

    run(server, story)
