"""The options that say when a schedule is due; `create` and `preview` share them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...config.server_options import parse_duration

if TYPE_CHECKING:
    from ...schedules import OverlapPolicy, ScheduleSpec

F = TypeVar("F", bound=Callable[..., Any])

OVERLAP_POLICIES = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all")


class PolicyType(click.ParamType):  # type: ignore[type-arg]
    """An overlap policy, also in the forms that other tools use: BufferOne, buffer-one."""

    name = "policy"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The policy's name as we write it."""
        found = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(value)).lower().replace("-", "_")
        if found not in OVERLAP_POLICIES:
            self.fail(f"{value!r} is none of {', '.join(OVERLAP_POLICIES)}", param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """As --help shows it."""
        return "POLICY"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The policies' names for a shell."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(each) for each in OVERLAP_POLICIES if each.startswith(incomplete)]


schedule_argument = click.argument("schedule_id", metavar="SCHEDULE_ID")
overlap_option = click.option(
    "--overlap",
    type=PolicyType(),
    help=f"When a run is still open: {', '.join(OVERLAP_POLICIES)}. [that of the schedule; of a new one skip]",
)
zone_option = click.option(
    "--zone", metavar="NAME", help="Write and read times in this zone, as Europe/Berlin or UTC. [this machine's]"
)
_OPTIONS = (
    click.option("--interval", "intervals", multiple=True, metavar="TIME[/OFFSET]", help="Every 30m, or 30m/5m."),
    click.option("--cron", "crons", multiple=True, metavar="CRON", help="As '0 9 * * MON-FRI', @daily."),
    click.option("--calendar", "calendars", multiple=True, metavar="FIELDS", help="As 'day_of_week=MON-FRI hour=9'."),
    click.option("--skip", "skips", multiple=True, metavar="FIELDS", help="But not then, as day_of_week=SAT,SUN."),
    click.option("--timezone", metavar="NAME", help="The zone of --cron, --calendar and --skip. [UTC]"),
    click.option("--jitter", metavar="TIME", help="Each time up to so much later, by chance."),
    click.option("--start", metavar="TIME", help="Not before this time."),
    click.option("--end", metavar="TIME", help="Not after this time."),
    click.option("--catchup-window", metavar="TIME", help="What was missed for longer is dropped. [365d]"),
)


def spec_options(function: F) -> F:
    """Add the options; `make_spec` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_spec(values: dict[str, Any], zone: tzinfo | None) -> ScheduleSpec:
    """The times that were asked for; takes what it reads out of `values`.

    Raises:
        OptionError: A value cannot be used.
    """
    from ...schedules import Calendar, Interval, ScheduleSpec, parse_time

    def time(name: str) -> Any:
        text = values.pop(name)
        return None if text is None else parse_time(text, zone, f"--{name}")

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

    return next((each for each in KNOWN if each == text), otherwise)


def duration(text: str | None, option: str) -> timedelta | None:
    """A duration that may be missing.

    Raises:
        OptionError: It is none.
    """
    return None if text is None else timedelta(seconds=parse_duration(text, option))
