"""Checked with mypy strict: the public types as users' tests see them. Each line with an ignore must be an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from typing_extensions import assert_type

from temporaltest import Call, Environment, RunningWorker, Temporal, delays, factories, fails, heartbeats


@activity.defn
async def compose(name: str) -> str:
    """An async activity."""
    return name


@activity.defn
def ship(order: int) -> bool:
    """A sync activity."""
    return bool(order)


@workflow.defn
class Greet:
    """A workflow with one argument and a query."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Return the result."""
        return name

    @workflow.query
    def count(self) -> int:
        """A query."""
        return 0


@workflow.defn
class Plain:
    """A workflow without arguments."""

    @workflow.run
    async def run(self) -> list[int]:
        """Return the result."""
        return []


@workflow.defn
class Pair:
    """A workflow with two arguments, one of them optional."""

    @workflow.run
    async def run(self, a: int, b: str = "") -> tuple[int, str]:
        """Return the result."""
        return a, b


def results(temporal: Temporal) -> None:
    """Results have the workflow's result type."""
    assert_type(temporal.execute(Greet.run, "Ada"), str)
    assert_type(temporal.execute(Plain.run), list[int])
    assert_type(temporal.execute(Pair.run, 1, "b"), tuple[int, str])
    assert_type(temporal.execute(Pair.run, 1), tuple[int, str])
    assert_type(temporal.execute(Pair.run, args=[1, "b"], id="x"), tuple[int, str])
    assert_type(temporal.execute(Greet.run, "Ada", id="x", run_timeout=timedelta(seconds=1)), str)
    assert temporal.execute("Greet", "Ada", result_type=str)


def wrong_calls(temporal: Temporal) -> None:
    """Wrong arguments and options are errors."""
    temporal.execute(Greet.run, 5)  # type: ignore[misc]
    temporal.execute(Greet.run)  # type: ignore[arg-type]
    temporal.execute(Greet.run, "Ada", "Bob")  # type: ignore[arg-type]
    temporal.execute(Pair.run, 1, 2)  # type: ignore[arg-type]
    temporal.execute(Greet.run, "Ada", run_timout=timedelta(seconds=1))  # type: ignore[call-overload]
    temporal.start(Greet.run, 5)  # type: ignore[misc]


async def handles(temporal: Temporal) -> None:
    """Handles know their workflow."""
    handle = temporal.start(Greet.run, "Ada")
    assert_type(handle, WorkflowHandle[Greet, str])
    assert_type(temporal.run(handle.result()), str)
    assert_type(await handle.query(Greet.count), int)
    assert_type(temporal.run(temporal.client.execute_workflow(Plain.run, id="x", task_queue="q")), list[int])


def workers(temporal: Temporal, temporal_worker: Callable[..., RunningWorker], env: Environment) -> None:
    """Workers, mocks and calls."""
    worker = temporal.worker(
        workflows=[Greet, Plain],
        activities=[compose, ship],
        mocks={compose: lambda name: name, "ship": fails(times=2, then=delays(1, then=heartbeats(1, then=True)))},
    )
    assert_type(worker, RunningWorker)
    temporal.worker(activities=[compose], mocks={compose: "x"})
    temporal.worker(activities=[compose], mocks={"compose": ValueError})
    by_name = {"compose": "x"}
    temporal.worker(activities=[compose], mocks=by_name)
    with temporal_worker(workflows=[Plain]) as other:
        assert_type(other, RunningWorker)
    calls = temporal.calls(compose)
    assert_type(calls, list[Call])
    assert_type(calls[0].attempt, int)
    environment: WorkflowEnvironment = env
    assert_type(environment.client, Client)


shop = factories.temporal(scope="module", time_skipping=True)
shop_env = factories.env("shop", scope="module")
factories.temporal(scope="modul")  # type: ignore[arg-type]
