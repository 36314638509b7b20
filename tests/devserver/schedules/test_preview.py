"""Previews on the real server: its own times, and no temporary schedule left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio.client import Client

from devserver.errors import CannotAsk, OptionError
from devserver.schedules import (
    Calendar,
    Interval,
    NewSchedule,
    PreviewOptions,
    ScheduleRefused,
    ScheduleSpec,
    ScheduleUnknown,
    create_schedule,
    list_schedules,
    preview_schedule,
    preview_spec,
    temporary_schedule,
)
from devserver.schedules.calls import ScheduleCalls
from devserver.system.time_zones import find_zone
from tests.helpers.shared_server import SharedServer

LIMIT = 120.0
HOUR = timedelta(hours=1)
BEFORE_SPRING = datetime(2027, 3, 26, 12, tzinfo=timezone.utc)


def run(server: SharedServer, story: Callable[[Client], Awaitable[None]]) -> None:
    """Run a test with a client of the server."""

    async def connected() -> None:
        await story(await server.connect())

    asyncio.run(connected())


async def wait_for_schedules(client: Client, *expected: str) -> None:
    """Wait until the server lists exactly these schedules: its list may be a moment out of date."""
    deadline = time.monotonic() + LIMIT
    while (found := {entry.schedule_id async for entry in ScheduleCalls(client).list("")}) != set(expected):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def wait_for_no_schedules(client: Client) -> None:
    """Wait until the server lists no schedule."""
    await wait_for_schedules(client)


def test_times_are_the_servers_own(server: SharedServer) -> None:
    """Times respect daylight saving time, exclusions, offsets and the end; an hour that does not exist is left out."""

    async def story(client: Client) -> None:
        berlin = ScheduleSpec(crons=("30 2 * * *",), time_zone="Europe/Berlin")
        preview = await preview_spec(client, berlin, PreviewOptions(count=3, after=BEFORE_SPRING))
        local = [when.astimezone(find_zone("Europe/Berlin")).isoformat() for when in preview.times]
        assert local == ["2027-03-27T02:30:00+01:00", "2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"]
        weekends = ScheduleSpec(
            calendars=(Calendar.parse("hour=9 minute=15"),),
            skip=(Calendar.parse('{"dayOfWeek": "SAT,SUN"}'),),
            end=BEFORE_SPRING + timedelta(days=4),
        )
        preview = await preview_spec(client, weekends, PreviewOptions(after=BEFORE_SPRING))
        assert [f"{when:%a %H:%M}" for when in preview.times] == ["Mon 09:15", "Tue 09:15"]
        every = ScheduleSpec(intervals=(Interval.parse("1h/5m"),), jitter=HOUR / 2)
        preview = await preview_spec(client, every, PreviewOptions(count=2, after=BEFORE_SPRING))
        assert preview.times == (BEFORE_SPRING + HOUR / 12, BEFORE_SPRING + HOUR * 13 / 12)
        assert (preview.schedule_id, preview.jitter, preview.outcomes) == (None, HOUR / 2, ())
        never = await preview_spec(client, ScheduleSpec(crons=("0 0 30 2 *",)), PreviewOptions(run_length=HOUR))
        assert never.times == ()
        await wait_for_no_schedules(client)

    run(server, story)


def test_existing_schedule(server: SharedServer) -> None:
    """The times of a schedule include its jitter, the notes show its state, and the preview changes nothing."""

    async def story(client: Client) -> None:
        spec = ScheduleSpec(intervals=(Interval(HOUR),), jitter=timedelta(seconds=30))
        new = NewSchedule("hourly", "Report", "reports", spec, policy="buffer_one", paused=True, note="until Monday")
        await create_schedule(client, new)
        preview = await preview_schedule(client, "hourly", PreviewOptions(count=20, run_length=HOUR * 3))
        late = [when.timestamp() % 3600 for when in preview.times]
        assert any(late)
        assert max(late) <= 30
        assert (preview.policy, preview.scheduler, preview.jitter) == ("buffer_one", "workflow", spec.jitter)
        assert preview.notes[0] == "the schedule is paused: nothing starts until you unpause it (until Monday)"
        assert [outcome.policy for outcome in preview.outcomes if len(outcome.starts) == 20][:2] == [
            "skip",
            "buffer_one",
        ]
        again = await preview_schedule(client, "hourly", PreviewOptions(count=20))
        assert again.times == preview.times

    run(server, story)


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        (ScheduleSpec(crons=("61 * * * *",)), "invalid schedule times: Minute is not in range [0-59]", "cron"),
        (
            ScheduleSpec(crons=("0 9 * * *",), time_zone="Europe/Berln"),
            "does not know the time zone Europe/Berln",
            "Europe/Berlin",
        ),
        (ScheduleSpec(intervals=(Interval(timedelta(0)),)), "interval is too small", "at least 1s"),
    ],
)
def test_refused_spec(server: SharedServer, spec: ScheduleSpec, message: str, hint: str) -> None:
    """The error has the server's reason and what to write instead; no temporary schedule is left."""

    async def story(client: Client) -> None:
        with pytest.raises(ScheduleRefused) as found:
            await preview_spec(client, spec)
        assert message in found.value.message
        assert hint in (found.value.hint or "")
        await wait_for_no_schedules(client)

    run(server, story)


def test_times_left_out_at_a_clock_change(server: SharedServer) -> None:
    """A time that does not exist on the day of a clock change is named; an hourly schedule misses nothing; a time zone
    without calendars has no effect.
    """
    after = PreviewOptions(count=4, after=datetime(2027, 3, 12, tzinfo=timezone.utc))
    zone = "America/New_York"

    async def story(client: Client) -> None:
        async def notes(**spec: Any) -> list[str]:
            return list((await preview_spec(client, ScheduleSpec(**spec), after)).notes)

        left_out = ["14 March 02:30 is left out: clocks change in America/New_York"]
        assert await notes(crons=("30 2 * * *",), time_zone=zone) == left_out
        preview = await preview_spec(client, ScheduleSpec(crons=("30 2 * * *",), time_zone=zone), after)
        assert [when.astimezone(find_zone(zone)).day for when in preview.times] == [12, 13, 15, 16], (
            "as the server has it"
        )
        nightly = ScheduleSpec(crons=("30 2 * * *",), time_zone=zone)
        await create_schedule(client, NewSchedule("nightly", "Report", "reports", nightly, paused=True))
        assert left_out[0] in (await preview_schedule(client, "nightly", after)).notes
        weekends = PreviewOptions(count=80, after=after.after)
        hourly = await preview_spec(client, ScheduleSpec(crons=("0 * * * *",), time_zone=zone), weekends)
        assert hourly.notes == ()
        assert await notes(crons=("30 2 * * *",), time_zone="UTC") == []
        assert await notes(crons=("30 2 * * *",)) == []
        (unused,) = await notes(intervals=(Interval(HOUR),), time_zone=zone)
        assert unused == f"the time zone {zone} has no effect: intervals count from 1970 in UTC"

    run(server, story)


def test_interrupted_preview(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during a call leaves no temporary schedule behind."""
    asked: list[str] = []
    matching_times = ScheduleCalls.matching_times

    async def slow(self: ScheduleCalls, schedule_id: str, *args: Any) -> Any:
        asked.append(schedule_id)
        assert (await self.describe(schedule_id)).schedule.state.limited_actions
        await asyncio.Event().wait()
        return await matching_times(self, schedule_id, *args)

    monkeypatch.setattr(ScheduleCalls, "matching_times", slow)

    async def story(client: Client) -> None:
        task = asyncio.create_task(preview_spec(client, ScheduleSpec(crons=("0 9 * * *",))))
        while not asked:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ScheduleUnknown):
            await ScheduleCalls(client).describe(asked[0])

    run(server, story)


def test_killed_preview(server: SharedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An abandoned temporary schedule is not listed and cannot act; a later preview deletes it once it is old, and no
    schedule that only looks like one."""
    left: list[str] = []

    async def killed(_: ScheduleCalls, schedule_id: str) -> None:
        left.append(schedule_id)

    async def story(client: Client) -> None:
        daily = ScheduleSpec(crons=("@daily",))
        with monkeypatch.context() as patch:
            patch.setattr(ScheduleCalls, "delete", killed)
            await preview_spec(client, daily)
        alike = temporary_schedule.PREFIX + "0" * 32
        await create_schedule(client, NewSchedule(alike, "Report", "reports", daily, note=temporary_schedule.NOTE))
        await wait_for_schedules(client, *left, alike)
        assert [row.schedule_id async for row in list_schedules(client)] == [alike]
        await preview_spec(client, daily)
        found = await ScheduleCalls(client).describe(left[0])
        assert (found.schedule.state.limited_actions, found.schedule.state.remaining_actions) == (True, 0)
        monkeypatch.setattr(temporary_schedule, "ABANDONED_AFTER", timedelta(0))
        await preview_spec(client, daily)
        await wait_for_schedules(client, alike)

    run(server, story)


def test_close_calls(server: SharedServer) -> None:
    """A note says where one second changes a result, and only there."""

    async def story(client: Client) -> None:
        hourly = ScheduleSpec(intervals=(Interval(HOUR),))
        preview = await preview_spec(client, hourly, PreviewOptions(count=4, run_length=HOUR))
        assert preview.notes == (
            "runs that are one second shorter or longer change the result of skip, cancel_other, terminate_other",
        )
        preview = await preview_spec(client, hourly, PreviewOptions(count=4, run_length=HOUR * 1.25))
        assert preview.notes == ()

    run(server, story)


def test_unknown_names_and_invalid_options(server: SharedServer) -> None:
    """An unknown schedule, an unknown namespace and invalid options are different errors."""

    async def story(client: Client) -> None:
        with pytest.raises(ScheduleUnknown, match=f"the namespace {server.namespace} has no schedule nothing"):
            await preview_schedule(client, "nothing")
        with pytest.raises(OptionError, match="must be 1 to 1,000, not 0"):
            PreviewOptions(count=0)
        with pytest.raises(OptionError, match="must be greater than zero"):
            PreviewOptions(run_length=timedelta(0))
        with pytest.raises(OptionError, match="must not be negative"):
            PreviewOptions(cancel_length=timedelta(seconds=-1))
        thousand_years = PreviewOptions(run_length=timedelta(days=365_000))
        with pytest.raises(OptionError, match="end after the year 9999"):
            await preview_spec(client, ScheduleSpec(crons=("@daily",)), thousand_years)
        elsewhere = await Client.connect(server.address, namespace="nowhere")
        with pytest.raises(CannotAsk, match="there is no namespace nowhere"):
            await preview_spec(elsewhere, ScheduleSpec(crons=("@daily",)))

    run(server, story)
