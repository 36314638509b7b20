"""Options that schedule commands share: the times of a schedule, its overlap policy, the time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...config.durations import parse_duration
from .environment import DefaultOption
from .named_arguments import NamedArgument, named_arguments

if TYPE_CHECKING:
    from ...schedules import OverlapPolicy, ScheduleSpec

F = TypeVar("F", bound=Callable[..., Any])

TEMPORAL_POLICIES = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")
OVERLAP_POLICIES = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all")


class PolicyType(click.ParamType):  # type: ignore[type-arg]
    """An overlap policy in any common spelling: BufferOne, buffer_one, buffer-one."""

    name = "policy"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of the policy in lower case with underscores."""
        found = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(value)).lower().replace("-", "_")
        if found not in OVERLAP_POLICIES:
            self.fail(f"{value!r} is none of {', '.join(TEMPORAL_POLICIES)}", param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The value in --help."""
        return "POLICY"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The policies' names for a shell."""
        from click.shell_completion import CompletionItem

        names = (*TEMPORAL_POLICIES, *OVERLAP_POLICIES)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


SCHEDULE = NamedArgument("schedule_id", "SCHEDULE_ID", ("--schedule-id", "-s"), "Schedule id; same as SCHEDULE_ID.")
schedule_argument = named_arguments(SCHEDULE)
overlap_option = click.option(
    "--overlap-policy",
    "overlap",
    type=PolicyType(),
    show_default="the schedule's, or Skip for a new one",
    help=f"What to do if a run is still open: {', '.join(TEMPORAL_POLICIES)}.",
)
zone_option = click.option(
    "--zone",
    metavar="NAME",
    show_default="this machine's",
    help="Time zone to read and print times in, as Europe/Berlin or UTC.",
)
_OPTIONS = (
    click.option(
        "--interval",
        "intervals",
        multiple=True,
        metavar="TIME[/OFFSET]",
        help="Interval, as 30m or 30m/5m. Repeatable.",
    ),
    click.option(
        "--cron", "crons", multiple=True, metavar="CRON", help="Cron expression, as '0 9 * * MON-FRI'. Repeatable."
    ),
    click.option(
        "--calendar",
        "calendars",
        multiple=True,
        metavar="FIELDS",
        help="Calendar times, as 'day_of_week=MON-FRI hour=9'. Repeatable.",
    ),
    click.option(
        "--skip",
        "skips",
        multiple=True,
        metavar="FIELDS",
        help="Exclude these calendar times, as day_of_week=SAT,SUN. Repeatable.",
    ),
    click.option(
        "--time-zone",
        "--timezone",
        "timezone",
        metavar="NAME",
        cls=DefaultOption,
        literal="UTC",
        help="Time zone of --cron, --calendar and --skip.",
    ),
    click.option("--jitter", metavar="TIME", help="Random delay of up to this long."),
    click.option("--start-time", "start", metavar="TIME", help="Time before which the schedule does not act."),
    click.option("--end-time", "end", metavar="TIME", help="Time after which the schedule does not act."),
    click.option(
        "--catchup-window",
        metavar="TIME",
        cls=DefaultOption,
        literal="365d",
        help="Maximum age of missed actions to catch up on.",
    ),
)


def spec_options(function: F) -> F:
    """Add the options; `make_spec` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_spec(values: dict[str, Any], zone: tzinfo | None) -> ScheduleSpec:
    """The times of a schedule; removes what it reads from `values`.

    Raises:
        OptionError: A value cannot be used.
    """
    from ...schedules import Calendar, Interval, ScheduleSpec
    from ...system.time_zones import parse_time

    def time(name: str) -> Any:
        text = values.pop(name)
        return None if text is None else parse_time(text, zone, f"--{name}-time")

    return ScheduleSpec(
        intervals=tuple(Interval.parse(text) for text in values.pop("intervals")),
        crons=values.pop("crons"),
        calendars=tuple(Calendar.parse(text) for text in values.pop("calendars")),
        skip=tuple(Calendar.parse(text, "--skip") for text in values.pop("skips")),
        time_zone=values.pop("timezone"),
        jitter=duration(values.pop("jitter"), "--jitter"),
        start=time("start"),
        end=time("end"),
    )


def policy_or(text: str | None, otherwise: OverlapPolicy) -> OverlapPolicy:
    """The policy of that name."""
    from ...schedules import OVERLAP_POLICIES as KNOWN

    return next((policy for policy in KNOWN if policy == text), otherwise)


def duration(text: str | None, option: str) -> timedelta | None:
    """A duration that may be missing.

    Raises:
        OptionError: The text is not a duration.
    """
    return None if text is None else timedelta(seconds=parse_duration(text, option))
