"""Schedules in tests: due times and actions, without waiting for them."""

from __future__ import annotations

from ..conftest import Suite

USUAL = """
from datetime import datetime, timezone

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy as Policy,
    ScheduleRange,
    ScheduleSpec,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError
from temporaltest.errors import SetupError, WaitTimeout

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 27, 12, tzinfo=timezone.utc)


@workflow.defn
class Report:
    '''A run of a schedule that lasts until it is let go.'''

    def __init__(self) -> None:
        self.gone = False

    @workflow.run
    async def run(self, name: str = "report") -> str:
        await workflow.wait_condition(lambda: self.gone)
        return name

    @workflow.signal
    def go(self) -> None:
        self.gone = True


@workflow.defn
class Quick:
    @workflow.run
    async def run(self, name: str = "quick") -> str:
        return name


def hourly(**options):
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)], **options)


def let_go(run):
    return run.signal(Report.go)
"""

TIMES = (
    USUAL
    + """

def at(*moments):
    return [datetime.strptime(each, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc) for each in moments]


def test_intervals(temporal_schedules):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR, offset=timedelta(minutes=5))])
    assert temporal_schedules.next_times(spec, 2, after=START) == at("2026-03-27 12:05", "2026-03-27 13:05")


def test_times_after_are_later(temporal_schedules):
    assert temporal_schedules.next_times(hourly(), 1, after=START) == [START + HOUR]


def test_calendars(temporal_schedules):
    leap = ScheduleCalendarSpec(month=[ScheduleRange(2)], day_of_month=[ScheduleRange(29)], hour=[ScheduleRange(8)])
    times = temporal_schedules.next_times(ScheduleSpec(calendars=[leap]), 3, after=START)
    assert times == at("2028-02-29 08:00", "2032-02-29 08:00", "2036-02-29 08:00")


def test_cron_and_skipped_days(temporal_schedules):
    skip = [ScheduleCalendarSpec(day_of_month=[ScheduleRange(28)], hour=[ScheduleRange(9)])]
    spec = ScheduleSpec(cron_expressions=["0 9 * * *"], skip=skip)
    assert temporal_schedules.next_times(spec, 2, after=START) == at("2026-03-29 09:00", "2026-03-30 09:00")


def test_cron_as_text(temporal_schedules):
    assert temporal_schedules.next_times("30 4 1 * *", 2, after=START) == at("2026-04-01 04:30", "2026-05-01 04:30")


def test_daylight_saving(temporal_schedules):
    '''Half past two does not exist in Berlin on the 29th of March.'''
    spec = ScheduleSpec(cron_expressions=["30 2 * * *"], time_zone_name="Europe/Berlin")
    times = temporal_schedules.next_times(spec, 3, after=START)
    assert times == at("2026-03-28 01:30", "2026-03-30 00:30", "2026-03-31 00:30")


def test_jitter(temporal_schedules):
    ten = timedelta(minutes=10)
    times = temporal_schedules.next_times(hourly(jitter=ten), 20, after=START)
    late = [(each - START) % HOUR for each in times]
    assert all(timedelta(0) <= each <= ten for each in late)
    assert len(set(late)) > 1


def test_start_and_end(temporal_schedules):
    begins = START + timedelta(days=1)
    spec = hourly(start_at=begins, end_at=begins + 2 * HOUR)
    assert temporal_schedules.next_times(spec, after=START) == [begins, begins + HOUR, begins + 2 * HOUR]


def test_now(temporal_schedules):
    now = datetime.now(timezone.utc)
    times = temporal_schedules.next_times(hourly())
    assert len(times) == 10
    assert now < times[0] <= now + 2 * HOUR
    assert len(temporal_schedules.next_times("* * * * *", 1000)) == 1000


def test_existing_schedule(temporal_schedules):
    handle = temporal_schedules.create(hourly(), Quick.run)
    assert temporal_schedules.next_times(handle, 1, after=START) == [START + HOUR]


def test_bad_input(temporal_schedules):
    with pytest.raises(SetupError, match="rejects the schedule .*5-7 fields"):
        temporal_schedules.next_times("nope")
    with pytest.raises(SetupError, match="unknown time zone Mars"):
        temporal_schedules.next_times(hourly(time_zone_name="Mars"))
    with pytest.raises(SetupError, match="no time zone"):
        temporal_schedules.next_times(hourly(), after=datetime(2026, 1, 1))
    with pytest.raises(SetupError, match="1 to 1000, not 0"):
        temporal_schedules.next_times(hourly(), 0)


@pytest.mark.asyncio
async def test_async(temporal_schedules):
    assert await temporal_schedules.aio.next_times(hourly(), 1, after=START) == [START + HOUR]
"""
)

ACTS = (
    USUAL
    + """

def test_trigger(temporal, temporal_schedules):
    temporal.worker(workflows=[Quick])
    handle = temporal_schedules.create("0 3 * * *", Quick.run, "tonight")
    runs = [temporal_schedules.trigger(handle, overlap=Policy.ALLOW_ALL) for _ in range(3)]
    assert len({run.workflow_id for run in runs}) == 3
    results = [temporal.run(temporal.client.get_workflow_handle(run.workflow_id).result()) for run in runs]
    assert results == ["tonight"] * 3
    assert [run.workflow_id for run in temporal_schedules.runs(handle)] == [run.workflow_id for run in runs]


def test_trigger_that_is_skipped(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    handle = temporal_schedules.create(hourly(), Report.run)
    run = temporal_schedules.trigger(handle)
    assert run.status == WorkflowExecutionStatus.RUNNING
    assert temporal_schedules.trigger(handle) is None
    temporal.run(let_go(temporal.client.get_workflow_handle(run.workflow_id)))


def test_trigger_that_is_never_taken(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    handle = temporal_schedules.create(hourly(), Report.run, overlap=Policy.BUFFER_ALL)
    temporal_schedules.trigger(handle)
    temporal.case.guard.limit = 1.5
    with pytest.raises(WaitTimeout, match="(?s)for the schedule schedule-1 to start its triggered run.*Report"):
        temporal_schedules.trigger(handle)


def test_backfill(temporal, temporal_schedules):
    temporal.worker(workflows=[Quick])
    handle = temporal_schedules.create(hourly(), Quick.run, overlap=Policy.BUFFER_ALL)
    runs = temporal_schedules.backfill(handle, START, START + 11 * HOUR)
    assert [run.scheduled_at for run in runs] == [START + number * HOUR for number in range(12)]
    more = temporal_schedules.backfill(handle, START + 12 * HOUR, START + 13 * HOUR)
    assert [run.scheduled_at for run in more] == [START + 12 * HOUR, START + 13 * HOUR]
    assert len(temporal_schedules.runs(handle)) == 14


def test_backfill_of_nothing(temporal_schedules):
    handle = temporal_schedules.create(hourly(), Quick.run)
    with pytest.raises(SetupError, match="is due 0 times"):
        temporal_schedules.backfill(handle, START + HOUR / 4, START + HOUR / 2)


def test_created_paused(temporal, temporal_schedules):
    handle = temporal_schedules.create(hourly(), Quick.run)
    assert temporal.run(handle.describe()).schedule.state.paused
    awake = temporal_schedules.create(hourly(), Quick.run, paused=False, id="awake")
    assert not temporal.run(awake.describe()).schedule.state.paused


@pytest.mark.temporal(time_skipping=True)
def test_run_of_a_schedule_in_virtual_time(temporal, temporal_schedules, temporal_time):
    temporal.worker(workflows=[Sleeps])
    handle = temporal_schedules.create(hourly(), Sleeps.run)
    run = temporal_schedules.trigger(handle)
    workflow_handle = temporal.client.get_workflow_handle(run.workflow_id)
    temporal_time.fast_forward(workflow_handle, timedelta(days=2))
    assert temporal.run(workflow_handle.result()) == "slept"


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=3))
        return "slept"


@pytest.mark.asyncio
async def test_async(temporal, temporal_schedules):
    temporal.worker(workflows=[Quick])
    handle = await temporal_schedules.aio.create(hourly(), Quick.run, "later")
    run = await temporal_schedules.aio.trigger(handle)
    assert await temporal.client.get_workflow_handle(run.workflow_id).result() == "later"
    assert len(await temporal_schedules.aio.backfill(handle, START, START)) == 1
    assert len(await temporal_schedules.aio.runs(handle)) == 2
"""
)

POLICIES = (
    USUAL
    + """

def test_skip(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.SKIP, Report.run, finish=let_go)
    assert (result.ran, result.skipped, result.completed) == ((1,), (2, 3, 4), (1,))


def test_buffer_one(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.BUFFER_ONE, Report.run, finish=let_go)
    assert (result.ran, result.skipped, result.completed) == ((1, 2), (3, 4), (1, 2))
    assert result.together == 1
    first, second = result.runs
    assert first.closed_at <= second.started_at


def test_buffer_all(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.BUFFER_ALL, Report.run, "all", finish=let_go)
    assert (result.ran, result.skipped, result.completed) == ((1, 2, 3, 4), (), (1, 2, 3, 4))
    assert result.together == 1


def test_cancel_other(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.CANCEL_OTHER, Report.run, finish=let_go)
    assert (result.ran, result.cancelled, result.completed) == ((1, 2, 3, 4), (1, 2, 3), (4,))
    assert result.together == 1


def test_terminate_other(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.TERMINATE_OTHER, Report.run, starts=3, finish=let_go)
    assert (result.ran, result.terminated, result.completed) == ((1, 2, 3), (1, 2), (3,))
    assert str(result) == "terminate_other: 1 terminated, 2 terminated, 3 completed; open at once: 1"


def test_allow_all(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = temporal_schedules.overlap(Policy.ALLOW_ALL, Report.run, finish=let_go)
    assert (result.ran, result.skipped, result.completed) == ((1, 2, 3, 4), (), (1, 2, 3, 4))
    assert result.together == 4


@workflow.defn
class Deaf:
    '''Heeds no cancellation.'''

    @workflow.run
    async def run(self) -> None:
        while True:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                continue


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=3))


def test_run_that_is_too_short(temporal, temporal_schedules):
    temporal.worker(workflows=[Quick])
    with pytest.raises(SetupError, match=r"the run of start \\d had ended before start \\d was due"):
        temporal_schedules.overlap(Policy.BUFFER_ALL, Quick.run, finish=let_go)


def test_too_many_starts(temporal_schedules):
    with pytest.raises(SetupError, match="starts must be 2 to 10"):
        temporal_schedules.overlap(Policy.SKIP, Report.run, starts=11)


@pytest.mark.temporal(time_skipping=True)
def test_runs_in_virtual_time(temporal, temporal_schedules):
    temporal.worker(workflows=[Sleeps])
    result = temporal_schedules.overlap(Policy.BUFFER_ONE, Sleeps.run)
    assert result.completed == (1, 2)


@pytest.mark.asyncio
async def test_async(temporal, temporal_schedules):
    temporal.worker(workflows=[Report])
    result = await temporal_schedules.aio.overlap(Policy.SKIP, Report.run, starts=2, finish=let_go)
    assert (result.completed, result.skipped) == ((1,), (2,))
"""
)

ENDS = (
    USUAL
    + """
seen = []


def test_makes_schedules(temporal, temporal_schedules):
    temporal_schedules.create(hourly(), Quick.run, paused=False, id="by-the-fixture")
    action = ScheduleActionStartWorkflow(Quick.run, id="quick", task_queue=temporal.task_queue)
    temporal.run(temporal.client.create_schedule("by-the-client", Schedule(action=action, spec=hourly())))
    seen.append(temporal.namespace)


def test_schedules_are_deleted(temporal):
    async def look(name):
        client = await Client.connect(temporal.address, namespace=seen[0])
        await client.get_schedule_handle(name).describe()

    for name in ("by-the-fixture", "by-the-client"):
        with pytest.raises(RPCError, match="not found|already completed"):
            temporal.run(look(name))
"""
)


def test_due_times(suite: Suite) -> None:
    """The next times of intervals, calendars, cron, time zones, jitter and limits are computed by the server itself."""
    suite.tests(TIMES)
    suite.passes(passed=12)


def test_trigger_and_backfill(suite: Suite) -> None:
    """The calls return when the runs have started, or fail at the limit."""
    suite.tests(ACTS)
    suite.passes("--temporal-timeout", "10", passed=8)


def test_overlap_policies(suite: Suite) -> None:
    """Each policy is tried on real runs: which were started, skipped, canceled or terminated, and in which order."""
    suite.tests(POLICIES)
    suite.passes(passed=10)


def test_a_run_that_ignores_its_cancellation(suite: Suite) -> None:
    """If the old run does not end, the trial ends at the limit and shows it."""
    suite.tests(
        POLICIES[: POLICIES.index("def test_skip")]
        + POLICIES[POLICIES.index("@workflow.defn\nclass Deaf") : POLICIES.index("def test_run_that_is_too_short")]
        + """
def test_deaf(temporal, temporal_schedules):
    temporal.worker(workflows=[Deaf])
    with pytest.raises(WaitTimeout, match="(?s)a schedule that is due 2 times .CANCEL_OTHER.*Deaf.: running"):
        temporal_schedules.overlap(Policy.CANCEL_OTHER, Deaf.run, starts=2)
"""
    )
    suite.passes("--temporal-timeout", "4", passed=1)


def test_schedules_end_with_their_test(suite: Suite) -> None:
    """A schedule created by a test, through the fixture or the client, starts nothing after the test."""
    suite.tests(ENDS)
    suite.passes(passed=2)
