"""The tracer on the real server: every kind of step, open steps, and every link between runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    PauseWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    UnpauseWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy

from devserver import DevServer
from devserver.cli.render.trace_tree import Tree
from devserver.client.failures import failure_line
from devserver.errors import CannotAsk
from devserver.history import Execution, HistoryReader, Step, WorkflowRun, preview
from devserver.history.run_chain import RunChain
from devserver.trace import HiddenRuns, RunBegins, ShownEntry, TraceOptions, walk
from tests.helpers.shared_server import SharedServer
from tests.helpers.traced import QUEUE, Attempts, Buggy, Everything, Loop, Waits, endpoint_of, make_endpoint, worker

LIMIT = 120.0


def run(server: DevServer | SharedServer, story: Callable[[Client, HistoryReader], Awaitable[None]]) -> None:
    """Run a test with a client of the server, a tracer and a worker."""

    async def with_client() -> None:
        client = await Client.connect(server.address, namespace=server.namespace)
        async with worker(client):
            await asyncio.wait_for(story(client, HistoryReader(client)), LIMIT)

    asyncio.run(with_client())


async def start(client: Client, what: Any, *args: Any, id: str, **how: Any) -> Any:  # noqa: A002 - as the SDK calls it
    """Start a workflow on the queue of `worker`."""
    return await client.start_workflow(what, args=args, id=id, task_queue=QUEUE, **how)


async def newest(reader: HistoryReader, workflow_id: str) -> WorkflowRun:
    """Return the newest run of a workflow."""
    chain = await reader.chain(workflow_id)
    return await reader.run(workflow_id, chain.newest)


async def once(reader: HistoryReader, workflow_id: str, fits: Callable[[WorkflowRun], bool]) -> WorkflowRun:
    """Return the newest run once the condition is true."""
    while not fits(found := await newest(reader, workflow_id)):
        await asyncio.sleep(0.02)
    return found


def summaries(steps: list[Step]) -> list[tuple[str, ...]]:
    """Return kind, name and status of each step."""
    return [(step.kind, step.name, step.status) for step in steps]


async def everything(client: Client) -> Any:
    """Run the workflow that has every kind of step, to its end."""
    await make_endpoint(client)
    handle = await start(client, Everything.run, id="everything", memo={"of": "ann"})
    assert await handle.execute_update(Everything.ask, "hey", id="ask-1") == "hey?"
    for words in ("no", ""):
        with contextlib.suppress(WorkflowUpdateFailedError):
            await handle.execute_update(Everything.ask, words)
    while (await handle.describe()).raw_description.pending_activities:
        await asyncio.sleep(0.01)
    await handle.signal(Everything.tell, "go")
    await handle.result()
    return handle


STEPS = {
    ("activity", "greet", "completed"),
    ("activity", "flaky", "completed"),
    ("activity", "flaky", "failed"),
    ("update", "ask", "completed"),
    ("update", "ask", "failed"),
    ("signal", "tell", "completed"),
    ("marker", "memo", "completed"),
    ("marker", "patch", "completed"),
    ("marker", "search attributes", "completed"),
    ("local_activity", "greet", "completed"),
    ("timer", "", "completed"),
    ("child", "Leaf", "completed"),
    ("child", "Leaf", "failed"),
    ("child", "Waits", "completed"),
    ("nexus", "buy", "completed"),
    ("signal_out", "go", "completed"),
    ("cancel_out", "", "failed"),
}


def test_every_kind_of_step(server: SharedServer) -> None:
    """Each has its outcome, attempts, times, last failure, inputs and results."""

    async def story(client: Client, reader: HistoryReader) -> None:
        await everything(client)
        found = await newest(reader, "everything")
        assert set(summaries(found.steps)) == STEPS
        of = {(step.kind, step.name, step.status): step for step in found.steps}
        assert [step.event_id for step in found.steps] == sorted(step.event_id for step in found.steps)
        assert all(step.took is not None and step.took >= timedelta(0) for step in found.steps)

        greeted = of["activity", "greet", "completed"]
        texts = [await preview(payload, reader.converter) for payload in (greeted.input, greeted.result, greeted.note)]
        assert texts == ['"ann"', '"hello ann"', '"the first"']
        assert (greeted.attempts, greeted.failure, greeted.queue) == (1, None, QUEUE)
        assert greeted.identity == found.identities[0]
        retried, failed = of["activity", "flaky", "completed"], of["activity", "flaky", "failed"]
        assert (retried.attempts, retried.bad, failed.attempts, failed.bad) == (2, False, 3, True)
        for step in (retried, failed):
            assert step.failure is not None
            assert await failure_line(step.failure, reader.converter) == "Busy: not yet second line"
        assert of["update", "ask", "completed"].id == "ask-1"
        assert await preview(of["local_activity", "greet", "completed"].result, reader.converter) == '"hello local"'
        assert of["marker", "patch", "completed"].id == "patch-1"
        assert of["cancel_out", "", "failed"].reason == "external workflow execution not found"
        nexus = of["nexus", "buy", "completed"]
        assert nexus.operation is not None
        assert (nexus.operation.endpoint, nexus.operation.service) == (endpoint_of(client.namespace), "Shop")
        assert nexus.target is not None
        assert nexus.target.workflow_id.startswith("bought-")
        sent_to = of["signal_out", "go", "completed"].target
        assert sent_to is not None
        assert sent_to.workflow_id == of["child", "Waits", "completed"].id

        assert (found.status, found.type, found.task_queue) == ("completed", "Everything", QUEUE)
        assert (await preview(found.result, reader.converter), found.memo[0][0]) == ('"go"', "of")
        assert found.events == (await client.get_workflow_handle("everything").describe()).history_length
        await tree(reader)

    async def tree(reader: HistoryReader) -> None:
        runs = [item async for item in walk(reader, await reader.chain("everything"), TraceOptions())]
        begun = [
            (item.depth, item.run.workflow_id.partition("-")[2], item.number, item.run.status)
            for item in runs
            if isinstance(item, RunBegins) and "bought" not in item.run.workflow_id
        ]
        assert begun == [
            (0, "", 1, "completed"),
            (1, "again", 1, "continued_as_new"),
            (1, "again", 2, "completed"),
            (1, "bad", 1, "failed"),
            (1, "waits", 1, "completed"),
        ]
        (bought,) = [item for item in runs if isinstance(item, RunBegins) and "bought" in item.run.workflow_id]
        assert (bought.depth, bought.run.steps[0].name) == (1, "greet")
        assert (bought.run.origin.caller or Execution("")).workflow_id == "everything"
        chain = await reader.chain(bought.run.workflow_id)
        view = Tree(reader, width=200, signs=True)
        lines = [line async for item in walk(reader, chain, TraceOptions()) for line in await view.lines(item)]
        assert any("called by a Nexus operation of everything, run " in line for line in lines), lines
        shallow = [item async for item in walk(reader, await reader.chain("everything"), TraceOptions(depth=0))]
        assert len([item for item in shallow if isinstance(item, RunBegins)]) == 1
        bad = [item async for item in walk(reader, await reader.chain("everything"), TraceOptions(failures=True))]
        assert [item.run.workflow_id for item in bad if isinstance(item, RunBegins)] == ["everything", "everything-bad"]
        shown = [item.entry.name for item in bad if isinstance(item, ShownEntry) and isinstance(item.entry, Step)]
        assert sorted(shown) == sorted(["flaky", "flaky", "ask", "Leaf", "flaky", ""])

    run(server, story)


def test_open_steps(server: SharedServer) -> None:
    """Running attempts, the time of the next attempt, pauses and failing code are as the server describes them now."""

    async def story(client: Client, reader: HistoryReader) -> None:
        handle = await start(client, Waits.run, "retry", id="retry")
        both = {"backing_off", "running"}
        found = await once(reader, "retry", lambda run: {step.status for step in run.steps} == both)
        of = {step.name: step for step in found.steps}
        assert (of["flaky"].attempts, of["hang"].attempts, of["flaky"].bad, of["hang"].bad) == (1, 1, True, False)
        assert of["flaky"].next_retry is not None
        wait = of["flaky"].next_retry - datetime.now(timezone.utc)
        assert timedelta(minutes=8) < wait < timedelta(minutes=11)
        assert of["flaky"].failure is not None
        assert await failure_line(of["flaky"].failure, reader.converter) == "Busy: not yet second line"
        assert (found.status, found.open, found.closed) == ("running", True, None)

        execution = WorkflowExecution(workflow_id="retry")
        service = client.workflow_service
        await service.pause_workflow_execution(
            PauseWorkflowExecutionRequest(
                namespace=client.namespace, workflow_id="retry", identity="ann", reason="disk swap", request_id="1"
            )
        )
        found = await once(reader, "retry", lambda run: run.status == "paused")
        assert [(step.kind, step.identity, step.reason) for step in found.steps if step.status == "paused"][-1] == (
            "pause",
            "ann",
            "disk swap",
        )
        await service.unpause_workflow_execution(
            UnpauseWorkflowExecutionRequest(
                namespace=client.namespace, workflow_id=execution.workflow_id, request_id="2"
            )
        )
        found = await once(reader, "retry", lambda run: run.status == "running")
        assert ("pause", "", "completed") in summaries(found.steps)
        await handle.terminate(reason="enough")
        found = await newest(reader, "retry")
        assert (found.status, found.bad) == ("terminated", True)
        assert {(step.name, step.status, step.closed) for step in found.steps if step.kind == "activity"} == {
            ("flaky", "unfinished", found.closed),
            ("hang", "unfinished", found.closed),
        }
        assert found.reason.startswith("enough (by ")

        await start(client, Buggy.run, id="buggy", task_timeout=timedelta(seconds=1))
        found = await once(reader, "buggy", lambda run: any(step.attempts > 1 for step in run.steps))
        (step,) = found.steps
        assert (step.kind, step.status, step.bad, found.failed_tasks.count) == (
            "workflow_task_failure",
            "backing_off",
            True,
            1,
        )
        assert step.failure is not None
        assert await failure_line(step.failure, reader.converter) == "KeyError: 'a bug'"

        cancelled = await start(client, Waits.run, "child", id="cancelled")
        await once(reader, "cancelled", lambda run: run.events >= 4)
        await cancelled.cancel()
        found = await once(reader, "cancelled", lambda run: run.status == "canceled")
        assert summaries(found.steps) == [("cancel", "", "completed")]

    run(server, story)


async def ended(handle: Any) -> None:
    """Wait for the workflow's end, successful or not."""
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()


def links(chain: RunChain) -> list[tuple[str, str]]:
    """Return how each run started and how it closed."""
    return [(link.how, link.status) for link in chain.runs]


async def reset(client: Client, workflow_id: str, run_id: str, event_id: int) -> str:
    """Reset a run to this event; return the new run's id."""
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            workflow_task_finish_event_id=event_id,
            reason="bad deploy",
            request_id=f"{workflow_id}-{run_id}-{event_id}",
        )
    )
    return answer.run_id


def test_chains_of_runs(server: SharedServer) -> None:
    """Retries, continue-as-new and resets are one chain from any of its runs; other executions of the id are not
    part of it."""

    async def story(client: Client, reader: HistoryReader) -> None:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=5)
        await ended(await start(client, Attempts.run, 3, id="w", retry_policy=policy))
        retried = await reader.chain("w")
        assert links(retried) == [("started", "failed"), ("retried", "failed"), ("retried", "completed")]
        runs = [await reader.run("w", link) for link in retried.runs]
        assert [(run.attempt, run.origin.how, run.origin.run_id) for run in runs] == [
            (1, "started", ""),
            (2, "retried", runs[0].run_id),
            (3, "retried", runs[1].run_id),
        ]
        assert [run.next and run.next.run_id for run in runs] == [runs[1].run_id, runs[2].run_id, None]

        again = await start(client, Waits.run, "again", id="w")
        await once(reader, "w", lambda run: run.status == "running" and run.events >= 4)  # its first task is over
        await again.signal(Waits.go)
        await once(reader, "w", lambda run: run.origin.how == "continued_as_new" and run.events >= 4)
        first = (await reader.chain("w")).runs[0].run_id
        second = await reset(client, "w", first, 4)
        third = await reset(client, "w", first, 4)
        await once(reader, "w", lambda run: run.run_id == third or run.origin.run_id == third)
        chain = await reader.chain("w")
        while not (
            {second, third} < {link.run_id for link in chain.runs} and chain.others == 3
        ):  # when the server's list is up to date
            chain = await reader.chain("w")
        assert (chain.runs[0].run_id, chain.newest.status) == (first, "running")
        assert {link.how for link in chain.runs} == {"started", "continued_as_new", "reset"}
        assert links(await reader.chain("w", retried.runs[1].run_id)) == links(retried)
        of = await reader.run("w", next(link for link in chain.runs if link.run_id == third))
        assert (of.origin.how, of.origin.run_id, of.origin.event_id) == ("reset", first, 4)
        assert of.origin.reason == "bad deploy"

    run(server, story)


def test_steps_of_a_reset_run(server: SharedServer) -> None:
    """The run that was reset has not failed, and the new run only has steps that were open at the reset."""

    async def story(client: Client, reader: HistoryReader) -> None:
        await ended(await start(client, Loop.run, 3, id="loop"))
        before = await newest(reader, "loop")
        await reset(client, "loop", before.run_id, before.steps[2].event_ids[1] + 3)
        after = await once(reader, "loop", lambda run: run.origin.how == "reset" and not run.open)
        assert (len(before.own_steps), len(after.steps), len(after.own_steps)) == (6, 6, 3)
        chain = await reader.chain("loop")
        assert links(chain) == [("started", "completed"), ("reset", "completed")]
        first = await reader.run("loop", chain.runs[0])
        assert first.next is not None
        assert (first.next.how, first.next.run_id) == ("reset", after.run_id)

        waits = await start(client, Waits.run, "child", id="waits")
        found = await once(reader, "waits", lambda run: run.events >= 4)
        await reset(client, "waits", found.run_id, 4)
        chain = await reader.chain("waits")
        ended_by_reset = await reader.run("waits", chain.runs[0])
        assert (ended_by_reset.status, ended_by_reset.bad) == ("terminated", False)
        await waits.terminate()

    run(server, story)


def test_deleted_runs(server: SharedServer) -> None:
    """Runs deleted by retention are marked, and the rest is shown; an unknown run is an error."""

    async def story(client: Client, reader: HistoryReader) -> None:
        again = await start(client, Waits.run, "again", id="again")
        await again.signal(Waits.go)
        await once(reader, "again", lambda run: run.origin.how == "continued_as_new")
        first = (await reader.chain("again")).runs[0]
        await client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id="again", run_id=first.run_id),
            )
        )
        while len((chain := await reader.chain("again")).runs) > 1:
            await asyncio.sleep(0.02)
        assert "earlier runs are gone" in chain.notes[0]
        assert (chain.newest.missing, (await reader.run("again", first)).missing) == (False, True)

        parent = await start(client, Everything.run, id="gone")
        await parent.terminate()
        for execution in (("nobody", ""), ("again", "0198c6f2-7cb1-7c2b-a3f0-2d4a5b6c7d8e")):
            with pytest.raises(CannotAsk, match="there is no workflow"):
                await reader.chain(*execution)

    run(server, story)


def test_a_deleted_child(server: SharedServer) -> None:
    """The tree has the step, and says that there is no more to show."""

    async def story(client: Client, reader: HistoryReader) -> None:
        await everything(client)
        await client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id="everything-bad")
            )
        )
        chain = await reader.chain("everything")
        while not (hidden := await below(reader, chain)):
            await asyncio.sleep(0.02)
        assert [hidden_run.what for hidden_run in hidden] == ["its history is gone"]
        few = [item async for item in walk(reader, chain, TraceOptions(most_runs=1))]
        assert {item.what for item in few if isinstance(item, HiddenRuns)} == {"more than 1 runs: this one is not read"}

    async def below(reader: HistoryReader, chain: RunChain) -> list[HiddenRuns]:
        return [item async for item in walk(reader, chain, TraceOptions()) if isinstance(item, HiddenRuns)]

    run(server, story)


def test_long_chains_are_shortened(server: SharedServer) -> None:
    """The first and the newest runs are shown; of the others only their number and how they closed."""

    async def story(client: Client, reader: HistoryReader) -> None:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=1), backoff_coefficient=1)
        await ended(await start(client, Attempts.run, 8, id="many", retry_policy=policy))
        tree = [item async for item in walk(reader, await reader.chain("many"), TraceOptions(most_of_chain=3))]
        assert [item.number for item in tree if isinstance(item, RunBegins)] == [1, 7, 8]
        (hidden,) = [item for item in tree if isinstance(item, HiddenRuns)]
        assert (hidden.what, {link.status for link in hidden.runs}) == ("5 runs are not shown", {"failed"})

    run(server, story)


def test_the_next_page_is_prefetched(server: SharedServer) -> None:
    """The server prepares the next page while the current one is read."""

    async def story(client: Client, reader: HistoryReader) -> None:
        handle = await client.start_workflow("Nobody's", id="paged", task_queue="nobody")
        for name in ("one", "two", "three"):
            await handle.signal(name)
        asked: list[Any] = []
        ahead: list[int] = []
        ask = client.workflow_service.get_workflow_execution_history

        async def counted(*args: Any, **how: Any) -> Any:
            asked.append(args)
            return await ask(*args, **how)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client.workflow_service, "get_workflow_execution_history", counted)
            async for _ in reader.pages("paged", handle.result_run_id or "", max_events=1):
                ahead.append(len(asked) - len(ahead) - 1)
        assert len(ahead) > 2
        assert ahead == [1] * (len(ahead) - 1) + [0]

    run(server, story)


def test_no_warnings_in_the_servers_log(own_server: DevServer) -> None:
    """The server warns of large pages; the pages of a trace are smaller."""

    async def story(client: Client, reader: HistoryReader) -> None:
        handle = await client.start_workflow("Nobody's", id="long", task_queue="nobody")
        for number in range(600):
            await handle.signal(f"signal {number}")
        before = own_server.log.read_text()
        pages = [page async for page in reader.pages("long", handle.result_run_id or "")]
        assert sum(len(page.history.events) for page in pages) > 600
        assert own_server.log.read_text() == before

    run(own_server, story)
