"""Durations: parsing and formatting."""

from __future__ import annotations

import pytest

from devserver.config.durations import format_duration, has_unit, parse_duration, parse_seconds
from devserver.config.server_options import DEFAULT_RETENTION
from devserver.errors import OptionError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 30 * 86400), ("1d12h", 36 * 3600), ("90m", 5400), ("45s", 45), ("7200", 7200), (" 1h ", 3600), ("0", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    """Durations parse in every unit; plain numbers are seconds."""
    assert parse_duration(text, "--retention") == seconds
    assert parse_duration(format_duration(seconds), "--retention") == seconds


@pytest.mark.parametrize("text", ["365000d1s", "99999999999999d", "9" * 5000])
def test_a_duration_that_is_too_long(text: str) -> None:
    """A duration that would exceed the range of dates is refused."""
    with pytest.raises(OptionError, match=r"--run-length \d+(d|d1s)? is too long") as error:
        parse_duration(text, "--run-length")
    assert error.value.hint == "the longest is 365000d"


@pytest.mark.parametrize("text", ["", "soon", "1h1d", "1.5h", "-1h", "1w", "²", "d"])
def test_invalid_durations(text: str) -> None:
    """The error quotes the value and shows examples."""
    with pytest.raises(OptionError) as error:
        parse_duration(text, "--retention")
    assert str(error.value) == (
        f"--retention {text!r} is not a duration\nhint: for example --retention 30d, or 12h, or 90m"
    )


def test_format_duration() -> None:
    """The default retention is shown as `30d`, not as a number of seconds."""
    assert [format_duration(seconds) for seconds in (DEFAULT_RETENTION, 5400, 90061)] == ["30d", "1h30m", "1d1h1m1s"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("200ms", 0.2), ("1h30m", 5400), ("30m1h", 5400), ("1.5", 1.5), (" 2d ", 172800)]
)
def test_durations_with_fractions(text: str, seconds: float) -> None:
    """Timeouts also accept milliseconds and units in any order; plain numbers are seconds."""
    assert parse_seconds(text, "--timeout") == pytest.approx(seconds)
    assert has_unit(text) is (text != "1.5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "--timeout 'soon' is not a duration\nhint: for example --timeout 5s, or 200ms, or 1h30m"),
        ("365001d", "--timeout 365001d is too long\nhint: the longest is 365000d"),
    ],
)
def test_invalid_durations_with_fractions(text: str, message: str) -> None:
    """The error is the same as for whole seconds."""
    with pytest.raises(OptionError) as error:
        parse_seconds(text, "--timeout")
    assert str(error.value) == message
