"""`temporal_versions`: several builds at once, moving workflows between them, and replay against a new build."""

from __future__ import annotations

import json

from ..conftest import Suite

ORDERS = '''
from collections import Counter
from pathlib import Path

from temporalio.common import VersioningBehavior
from temporaltest import ReplayFailed, SetupError

PINNED, AUTO = VersioningBehavior.PINNED, VersioningBehavior.AUTO_UPGRADE


@activity.defn
async def charge() -> None: ...


@activity.defn
async def reserve() -> None: ...


class Waits:
    def __init__(self) -> None:
        self.released = False

    async def work(self, step) -> None:
        await workflow.execute_activity(step, start_to_close_timeout=timedelta(seconds=9))
        await workflow.wait_condition(lambda: self.released)

    @workflow.signal
    def end(self) -> None:
        self.released = True

    @workflow.signal
    def poke(self) -> None: ...


@workflow.defn(name="Order")
class Order1(Waits):
    @workflow.run
    async def run(self) -> str:
        await self.work(charge)
        return "1.0"


@workflow.defn(name="Order")
class Order2(Waits):
    """Fits the past."""

    @workflow.run
    async def run(self) -> str:
        await self.work(charge)
        return "2.0"


@workflow.defn(name="Order")
class Order3(Waits):
    """Does not."""

    @workflow.run
    async def run(self) -> str:
        await self.work(reserve)
        return "3.0"


BUILDS = {"1.0": Order1, "2.0": Order2, "3.0": Order3}


def start(versions, behavior, *builds):
    for build in builds:
        versions.build(build, workflows=[BUILDS[build]], activities=[charge, reserve], behavior=behavior)
    versions.set_current(builds[0])
'''

ROLLOUT = (
    ORDERS
    + """
def result(temporal, handle):
    temporal.run(handle.signal("end"))
    return temporal.run(handle.result())


@workflow.defn
class Idle:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


def test_pinned_stays(temporal, temporal_versions):
    start(temporal_versions, PINNED, "1.0", "2.0")
    before = temporal.start(Order1.run)
    assert temporal_versions.build_of(before) == "1.0"
    temporal_versions.set_current("2.0")
    after = temporal.start(Order1.run)
    temporal.run(before.signal("poke"))
    assert [temporal_versions.build_of(each) for each in (before, after)] == ["1.0", "2.0"]
    assert [result(temporal, each) for each in (before, after)] == ["1.0", "2.0"]
    temporal_versions.wait_drained("1.0")


def test_auto_upgrade_moves_and_comes_back(temporal, temporal_versions):
    start(temporal_versions, AUTO, "1.0", "2.0")
    handle = temporal.start(Order1.run)
    assert temporal_versions.build_of(handle) == "1.0"
    temporal_versions.set_current("2.0")
    assert temporal_versions.build_of(handle) == "1.0"
    temporal.run(handle.signal("poke"))
    assert temporal_versions.build_of(handle) == "2.0"
    assert temporal_versions.rollback().after.current == temporal_versions.routing.current == "1.0"
    temporal.run(handle.signal("poke"))
    assert temporal_versions.build_of(handle) == "1.0"
    assert result(temporal, handle) == "1.0"


def test_a_ramp_takes_its_share_by_the_ids(temporal, temporal_versions):
    for build in ("1.0", "2.0"):
        temporal_versions.build(build, workflows=[Idle], behavior=PINNED)
    temporal_versions.set_current("1.0")
    splits = []
    for percentage, count in ((30, 24), (30, 24), (100, 6)):
        temporal_versions.ramp("2.0", percentage)
        handles = [temporal.start(Idle.run, id=f"order-{number}") for number in range(count)]
        splits.append([temporal_versions.build_of(handle) for handle in handles])
        assert temporal_versions.builds_of(handles) == Counter(splits[-1])
        for handle in handles:
            temporal.run(handle.terminate())
    assert splits[0] == splits[1]
    assert 2 <= splits[0].count("2.0") <= 14
    assert set(splits[2]) == {"2.0"}
    assert temporal_versions.rollback().before.ramping == "2.0"
    assert not temporal_versions.routing.has_ramp


@pytest.mark.asyncio
async def test_in_an_async_test(temporal, temporal_versions):
    start(temporal_versions, PINNED, "1.0")
    handle = await temporal.client.start_workflow(Order1.run, id="order", task_queue=temporal.task_queue)
    assert temporal_versions.build_of(handle) == "1.0"


def test_errors(temporal, temporal_versions):
    with pytest.raises(SetupError, match="the workflow Order has no versioning behavior"):
        temporal_versions.build("1.0", workflows=[Order1])
    start(temporal_versions, PINNED, "1.0", "2.0")
    with pytest.raises(SetupError, match="(?s)has no build 3.0.*its builds: 2.0, 1.0"):
        temporal_versions.set_current("3.0")
    with pytest.raises(SetupError, match="no worker of the build 3.0.*running: 1.0, 2.0"):
        temporal_versions.check_takeover("3.0")
    with pytest.raises(SetupError, match="is the current build"):
        temporal_versions.ramp("1.0", 50)
    with pytest.raises(SetupError, match="0 to 100"):
        temporal_versions.ramp("2.0", 200)
    with pytest.raises(SetupError, match="no other build has ever been current"):
        temporal_versions.rollback()
    with pytest.raises(SetupError, match="no open workflow that the build 2.0 could take over"):
        temporal_versions.check_takeover("2.0")
    temporal_versions.build("4.0", workflows=[Order1], behavior=PINNED, task_queue="other")
    with pytest.raises(SetupError, match="(?s)tests .activity., tests .workflow..*missing_task_queues=True"):
        temporal_versions.set_current("4.0")
"""
)

TAKEOVER = (
    ORDERS
    + """
@workflow.defn(name="Parcel", versioning_behavior=AUTO)
class Parcel:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


def test_open_workflows(temporal, temporal_versions):
    start(temporal_versions, AUTO, "1.0", "2.0", "3.0")
    handle = temporal.start(Order1.run, id="order-17")
    temporal_versions.build_of(handle)
    assert temporal_versions.check_takeover("2.0") == ["order-17"]
    with pytest.raises(ReplayFailed) as error:
        temporal_versions.check_takeover("3.0")
    for message in (
        "the build 3.0 cannot take over 1 of 1 open workflows:",
        "the workflow order-17 (Order) does not replay: ",
        "activity task scheduled (charge)",
        "workflow.patched()",
    ):
        assert message in str(error.value)


def test_pinned_workflows_on_request(temporal, temporal_versions):
    start(temporal_versions, PINNED, "1.0", "3.0")
    temporal_versions.build_of(temporal.start(Order1.run, id="order-17"))
    with pytest.raises(SetupError, match="1 are pinned to a build"):
        temporal_versions.check_takeover("3.0")
    with pytest.raises(ReplayFailed, match="order-17 .Order. does not replay"):
        temporal_versions.check_takeover("3.0", pinned=True)


def test_without_code(temporal, temporal_versions):
    temporal_versions.build("1.0", workflows=[Parcel])
    temporal_versions.set_current("1.0")
    temporal_versions.build("2.0", workflows=[Order2], behavior=AUTO)
    temporal_versions.build_of(temporal.start(Parcel.run, id="parcel-1"))
    with pytest.raises(ReplayFailed, match="parcel-1 .Parcel. on the task queue tests has no code: .* Order"):
        temporal_versions.check_takeover("2.0")
"""
)

YESTERDAY = (
    ORDERS
    + """
@pytest.mark.parametrize("build", BUILDS)
def test_stored(temporal_versions, build):
    temporal_versions.build(build, workflows=[BUILDS[build]], behavior=AUTO)
    found = temporal_versions.check_takeover(build, histories="histories")
    assert [Path(each).name for each in found] == ["order-17.json"]
"""
)
RECORDED = (
    ORDERS
    + """
def test_yesterday(temporal, temporal_versions):
    start(temporal_versions, AUTO, "1.0", "3.0")
    temporal_versions.build_of(temporal.start(Order1.run, id="order-17"))
"""
)


def test_rollout_between_builds(suite: Suite) -> None:
    """Pinned workflows stay, others move with their next task and back, a ramp takes a share; mistakes are errors."""
    suite.tests(ROLLOUT)
    suite.passes(passed=5)


def test_replay_against_a_new_build(suite: Suite) -> None:
    """Open workflows are replayed with the new build: the error names the event and the fix."""
    suite.tests(TAKEOVER)
    suite.passes(passed=3)


def test_stored_histories_of_open_workflows(suite: Suite) -> None:
    """Recorded histories of open workflows are replayed with today's build."""
    suite.tests(RECORDED)
    suite.passes("--temporal-record", "histories", passed=1)
    (recorded,) = (suite.path / "histories").rglob("*.json")
    assert json.loads(recorded.read_text())["qualname"] == "Order1"
    suite.tests(YESTERDAY)
    result = suite.run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*the build 3.0 cannot take over:", "*order-17.json: the workflow order-17 (Order) does not replay*"]
    )
