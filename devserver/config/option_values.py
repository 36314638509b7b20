"""The values of options: names of instances and namespaces, durations, KEY=VALUE pairs."""

from __future__ import annotations

import re

from ..errors import OptionError

DEFAULT_NAME = "default"
LONGEST_NAMESPACE_BYTES = 1000
LONGEST_SECONDS = 365_000 * 24 * 3600  # a thousand years: can be added to any date of today

_NAME = re.compile(r"[A-Za-z0-9~][A-Za-z0-9._-]{0,62}\Z")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


def check_name(name: str, *, new: bool = False) -> str:
    """Check the name of an instance, which is also the name of a folder.

    Args:
        name: The name.
        new: Whether a user chooses the name: then it must not begin with `~`, which marks anonymous instances.

    Returns:
        The name.

    Raises:
        OptionError: The name is invalid.
    """
    if not _NAME.match(name) or (new and name.startswith("~")):
        raise OptionError(
            f"{name!r} is not a valid instance name",
            hint="use at most 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        )
    return name


def check_namespace(name: str) -> None:
    """Check the name of a namespace before anything is started.

    Raises:
        OptionError: Temporal, or its tools, cannot use the name.
    """
    if not name or len(name.encode()) > LONGEST_NAMESPACE_BYTES:
        raise OptionError(
            f"the name of a namespace must have 1 to {LONGEST_NAMESPACE_BYTES} bytes, not {len(name.encode())}",
            hint="choose another name with --namespace",
        )
    if name == "temporal-system":
        raise OptionError("the namespace temporal-system is reserved for the server", hint="choose another name")
    if any(character.isspace() or not character.isprintable() for character in name) or "/" in name:
        raise OptionError(
            f"the namespace {name!r} contains a space, a slash or a control character",
            hint="Temporal's own tools cannot address such a namespace; use letters, digits, dots and dashes",
        )


def parse_pair(text: str, option: str, form: str, example: str) -> tuple[str, str]:
    """Key and value of the text of a repeatable option.

    Args:
        text: The text, such as `Customer=Keyword`.
        option: The option, for the error.
        form: The form that the option takes, for the error, such as `NAME=TYPE`.
        example: A text of that form, for the error.

    Raises:
        OptionError: The text has another form.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip() or not value.strip():
        raise OptionError(f"{option} {text!r} does not have the form {form}", hint=f"for example {option} {example}")
    return key.strip(), value.strip()


def parse_duration(text: str, option: str) -> int:
    """The seconds of a duration: `30d`, `12h`, `1d12h`, `90m`, `45s`, or a number of seconds.

    Args:
        text: The duration.
        option: The option, for the error.

    Raises:
        OptionError: The text is not a duration, or the duration is longer than a thousand years.
    """
    plain = text.strip()
    found = _DURATION.match(f"{plain}s" if plain.isdecimal() else plain)
    if not found or not any(found.groups()):
        raise OptionError(f"{option} {text!r} is not a duration", hint=f"for example {option} 30d, or 12h, or 90m")
    days, hours, minutes, seconds = (
        (int(group or 0) for group in found.groups()) if len(plain) < 40 else (LONGEST_SECONDS,) * 4
    )
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if length > LONGEST_SECONDS:
        raise OptionError(
            f"{option} {plain[:40]} is too long", hint=f"the longest is {format_duration(LONGEST_SECONDS)}"
        )
    return length


def format_duration(seconds: int) -> str:
    """A duration in the form that `parse_duration` reads, such as `1d12h`."""
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
