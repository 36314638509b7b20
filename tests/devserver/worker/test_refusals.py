"""What the server refuses of a worker, or terminates: one line for each cause, with the size, name or limit."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.conftest import Run
from tests.devserver.cli.conftest import quick_up as quick_up
from tests.devserver.cli.conftest import up as up
from tests.helpers.waiting import eventually
from tests.helpers.worker_run import running

MODULE = """
import asyncio
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

LIMITS = dict(start_to_close_timeout=timedelta(seconds=60), retry_policy=RetryPolicy(maximum_attempts=1))

@activity.defn
async def echo(text: str) -> str:
    return text

@activity.defn
async def grow(size: int) -> str:
    return "x" * size

@workflow.defn
class Answers:
    @workflow.run
    async def run(self, size: int) -> str:
        return "x" * size

@workflow.defn
class Asks:
    @workflow.run
    async def run(self, size: int, count: int) -> None:
        texts = ["x" * size] * count
        await asyncio.gather(*(workflow.execute_activity(echo, text, **LIMITS) for text in texts))

@workflow.defn
class Grows:
    @workflow.run
    async def run(self, size: int) -> None:
        await workflow.execute_activity(grow, size, **LIMITS)

@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.001)

@workflow.defn
class Named:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("a" * 2000, **LIMITS)

@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def asked(self) -> str:
        return "x" * 3_000_000
"""
ACCEPTS = "and the server accepts 2.1 MB"


def test_refused_answers_and_terminated_workflows(quick_up: Run, devserver: Run, tmp_path: Path) -> None:
    """Each is one line with the workflow, what is too large, its size and the limit, however often the SDK tries."""
    quick_up(
        "--dynamic-config-value", "limit.historyCount.error=60", "--dynamic-config-value", "limit.historyCount.warn=9"
    )
    (tmp_path / "limits.py").write_text(MODULE)

    def start(kind: str, *given: int) -> None:
        words = [
            "--type",
            kind,
            "--workflow-id",
            kind.lower(),
            "--task-queue",
            "limits",
        ]
        inputs = [word for value in given for word in ("--input", json.dumps(value))]
        done = devserver("temporal", "--", "workflow", "start", *words, *inputs)
        assert done.returncode == 0, done.stderr

    with running("limits", "--no-large-payloads", "--no-reload") as run:

        def reported(*parts: str) -> bool:
            events = (" ".join(event.split()) for event in re.split(r"\n(?=\d\d:\d\d:\d\d )", run.text))
            return any(all(part in event for part in parts) for event in events)

        start("Answers", 3_000_000)
        start("Asks", 1_000_000, 6)
        start("Grows", 3_000_000)
        start("Sleeps")
        start("Named")
        start("Waits")
        query = devserver("temporal", "--", "workflow", "query", "--workflow-id", "waits", "--type", "asked")
        assert query.returncode != 0, query.stdout
        devserver("temporal", "--", "workflow", "terminate", "--workflow-id", "waits", "--reason", "by hand")
        for parts in (
            ("workflow answers (Answers) is blocked", f"its result is 3.0 MB, {ACCEPTS}"),
            ("workflow waits (Waits) gave an answer that the server refuses", f"to a query is 3.0 MB, {ACCEPTS}"),
            ("workflow asks (Asks) was terminated by the server", "task is 6.0 MB, and the server accepts 4.2 MB"),
            ("activity grow of workflow grows failed, attempt 1", f"its result is 3.0 MB, {ACCEPTS}"),
            ("workflow sleeps (Sleeps) was terminated by the server", "history has 6", "the server allows no more"),
            ("workflow named (Named) is blocked", "activityType exceeds length limit. Length=2000 Limit=1000"),
        ):
            eventually(lambda parts=parts: reported(*parts))  # type: ignore[misc]
        assert run.end() == 130
        assert "SDK error" not in run.text
        assert "waits (Waits) was" not in run.text  # a user terminated it
        for once in (
            "answers (Answers) is blocked",
            "named (Named) is blocked",
            "asks (Asks) was",
            "sleeps (Sleeps) was",
        ):
            assert run.text.count(once) == 1, run.text


def test_a_deployment_with_as_many_builds_as_it_may(quick_up: Run, devserver: Run, tmp_path: Path) -> None:
    """`run` ends with one sentence and the way out, without advice to make the build current; `set-current` says the
    same."""
    limits = [f"matching.max{what}=1" for what in ("VersionsInDeployment", "Deployments")]
    quick_up(*(f"--dynamic-config-value={limit}" for limit in limits))
    (tmp_path / "limits.py").write_text(MODULE)
    sentence = "error: the server refuses the build 2: the deployment full has 1 versions, as many as it may"
    with running("limits", "--build-id", "1", "--deployment-name", "full") as full:
        refused = devserver("run", "limits", "--build-id", "2", "--deployment-name", "full")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.splitlines()[0] == sentence
        assert "matching.maxVersionsInDeployment=N" in refused.stderr
        another = devserver("run", "limits", "--build-id", "1", "--deployment-name", "another")
        assert another.stderr.splitlines()[0] == (
            "error: the server refuses a new deployment: the namespace has 1, as many as it may"
        )
        unknown = devserver("deployment", "set-current", "full", "2")
        assert unknown.stderr.splitlines() == [
            "error: the deployment full has no build 2, and the server refuses another: it has 1, as many as it may",
            "  its builds: 1",
            *refused.stderr.splitlines()[1:],
        ]
        forced = devserver("deployment", "set-current", "full", "2", "--allow-no-pollers")
        assert (forced.returncode, forced.stderr) == (1, refused.stderr)
    assert "refuses" not in full.text
