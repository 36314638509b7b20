"""Previews on the real server: the times that it tells, and nothing left of the schedule that was made for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio.client import Client

from devserver import DevServer
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
    find_zone,
    list_schedules,
    preview_schedule,
    preview_spec,
    temporary_schedule,
)
from devserver.schedules.calls import ScheduleCalls

LIMIT = 30.0
HOUR = timedelta(hours=1)
BEFORE_SPRING = datetime(2027, 3, 26, 12, tzinfo=timezone.utc)


def run(server: DevServer, story: Callable[[Client], Awaitable[None]]) -> None:
    """Tell a story with a client of the server."""

    async def told() -> None:
        await story(await Client.connect(server.address))

    asyncio.run(told())


async def there_are(client: Client, *wanted: str) -> None:
    """Wait until the server has these schedules and no others: its list may be a moment behind."""
    deadline = time.monotonic() + LIMIT
    while (found := {each.schedule_id async for each in ScheduleCalls(client).listed("")}) != set(wanted):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def nothing_left(client: Client) -> None:
    """Wait until it has none."""
    await there_are(client)


def test_times_are_the_servers_own(server: DevServer) -> None:
    """Daylight saving, exclusions, offsets and the end are minded; an hour that does not exist is left out."""

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
        await nothing_left(client)

    run(server, story)


def test_a_schedule_that_there_is(server: DevServer) -> None:
    """Its times have its own jitter in them, its state is told, and nothing of it is changed."""

    async def story(client: Client) -> None:
        spec = ScheduleSpec(intervals=(Interval(HOUR),), jitter=timedelta(seconds=30))
        new = NewSchedule("hourly", "Report", "reports", spec, policy="buffer_one", paused=True, note="until Monday")
        await create_schedule(client, new)
        preview = await preview_schedule(client, "hourly", PreviewOptions(count=20, run_length=HOUR * 3))
        late = [when.timestamp() % 3600 for when in preview.times]
        assert any(late)
        assert max(late) <= 30
        assert (preview.policy, preview.scheduler, preview.jitter) == ("buffer_one", "workflow", spec.jitter)
        assert preview.notes[0] == "it is paused: nothing starts until it is unpaused (until Monday)"
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
        (ScheduleSpec(crons=("61 * * * *",)), "the server refuses this: Minute is not in range [0-59]", "cron"),
        (
            ScheduleSpec(crons=("0 9 * * *",), time_zone="Europe/Berln"),
            "knows no time zone Europe/Berln",
            "Europe/Berlin",
        ),
        (ScheduleSpec(intervals=(Interval(timedelta(0)),)), "interval is too small", "at least 1s"),
    ],
)
def test_what_the_server_refuses(server: DevServer, spec: ScheduleSpec, message: str, hint: str) -> None:
    """Its own words, and what to write instead; nothing is left."""

    async def story(client: Client) -> None:
        with pytest.raises(ScheduleRefused) as found:
            await preview_spec(client, spec)
        assert message in found.value.message
        assert hint in (found.value.hint or "")
        await nothing_left(client)

    run(server, story)


def test_a_preview_that_is_interrupted(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the server is asked leaves no temporary schedule behind."""
    asked: list[str] = []
    due = ScheduleCalls.due

    async def slow(self: ScheduleCalls, schedule_id: str, *args: Any) -> Any:
        asked.append(schedule_id)
        assert (await self.describe(schedule_id)).schedule.state.limited_actions
        await asyncio.Event().wait()
        return await due(self, schedule_id, *args)

    monkeypatch.setattr(ScheduleCalls, "due", slow)

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


def test_what_a_killed_preview_leaves(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not listed and cannot act; a later preview removes it when it is old, and nothing that only looks alike."""
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
        await there_are(client, *left, alike)
        assert [row.schedule_id async for row in list_schedules(client)] == [alike]
        await preview_spec(client, daily)
        found = await ScheduleCalls(client).describe(left[0])
        assert (found.schedule.state.limited_actions, found.schedule.state.remaining_actions) == (True, 0)
        monkeypatch.setattr(temporary_schedule, "LEFT_AFTER", timedelta(0))
        await preview_spec(client, daily)
        await there_are(client, alike)

    run(server, story)


def test_close_calls(server: DevServer) -> None:
    """Where a second decides what becomes of a start, that is told; where it does not, it is not."""

    async def story(client: Client) -> None:
        hourly = ScheduleSpec(intervals=(Interval(HOUR),))
        preview = await preview_spec(client, hourly, PreviewOptions(count=4, run_length=HOUR))
        assert preview.notes == (
            "runs that are a second shorter or longer change what comes of skip, cancel_other, terminate_other",
        )
        preview = await preview_spec(client, hourly, PreviewOptions(count=4, run_length=HOUR * 1.25))
        assert preview.notes == ()

    run(server, story)


def test_what_cannot_be_asked(server: DevServer) -> None:
    """An unknown schedule or namespace, and numbers that make no sense, are told apart."""

    async def story(client: Client) -> None:
        with pytest.raises(ScheduleUnknown, match="there is no schedule nothing in the namespace default"):
            await preview_schedule(client, "nothing")
        with pytest.raises(OptionError, match="1 to 1,000 times, not 0"):
            PreviewOptions(count=0)
        with pytest.raises(OptionError, match="must be more than none"):
            PreviewOptions(run_length=timedelta(0))
        with pytest.raises(OptionError, match="cannot be less than none"):
            PreviewOptions(cancel_length=timedelta(seconds=-1))
        thousand_years = PreviewOptions(run_length=timedelta(days=365_000))
        with pytest.raises(OptionError, match="would end after the year 9999"):
            await preview_spec(client, ScheduleSpec(crons=("@daily",)), thousand_years)
        elsewhere = await Client.connect(server.address, namespace="nowhere")
        with pytest.raises(CannotAsk, match="there is no namespace nowhere"):
            await preview_spec(elsewhere, ScheduleSpec(crons=("@daily",)))

    run(server, story)
