"""Credentials are masked in messages, notes and receipts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# Up to the last @ before the path. A password may contain a slash, though that makes no valid URL.
_USER_INFO = re.compile(r"(?<=://)(?:[^/\s'\"]+|[^/@:\s'\"]+:(?!\d+/)[^\s'\"]*)(?=@)")
_SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|auth|credential|cert-data")
_OWN = re.compile(r"(TEMPORAL|DEVSERVER|OTEL)_")
_FILE = re.compile(r"(?i)[_-](path|file|certificate|client.key|client.auth)$")  # `--tls-client-auth` is a flag
SHORTEST_SECRET = 4
_QUERY = re.compile(r"(?<=\?)[^\s'\"<>]+")


def mask(text: str) -> str:
    """The text, with `user:password@` replaced by `***@` in every URL."""
    return _USER_INFO.sub("***", text)


def secrets_of(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The values of options and environment variables whose names say that they are secret, the longest first."""
    found = [value for name, value in environ.items() if _SECRET_NAME.search(name)]
    for option, value in zip(arguments, [*arguments[1:], ""], strict=False):
        if option.startswith("-") and _SECRET_NAME.search(option):
            found.append(option.partition("=")[2] or value)
    return sorted({value for value in found if len(value) >= SHORTEST_SECRET}, key=len, reverse=True)


def own_secrets(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """As `secrets_of`, of options and variables that Temporal, OpenTelemetry and this project read; files are none."""
    ours = {name: value for name, value in environ.items() if _OWN.match(name) and not _FILE.search(name)}
    words = list(arguments)
    for at, word in enumerate(arguments[:-1]):
        if _FILE.search(word):
            words[at + 1] = ""
    return secrets_of([word for word in words if not _FILE.search(word.partition("=")[0])], ours)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret replaced by `***`, and without credentials in URLs."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return mask(text)


def options_of(arguments: Sequence[str]) -> str:
    """A command line for a report: the words of the command and the names of options, without any value."""
    words = []
    for at, word in enumerate(arguments):
        if word.startswith("-"):
            words.append(word.partition("=")[0])
        elif at < 2 and word.replace("-", "").isalpha() and not any(arg.startswith("-") for arg in arguments[:at]):
            words.append(word)
        else:
            words.append("...")
    return " ".join(words)


def without_user(url: str) -> str:
    """A URL without what a client would send as user and password, which are what `urlsplit` takes for them."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return mask(url)
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"***@{host}").geturl() if at and user else url


def shown_value(value: str) -> str:
    """A value of a stranger's file for a message: quoted, without control characters and credentials.

    A URL is shown in ASCII: a host with a letter that looks like another one is another host.
    """
    plain = without_user(value)
    return ascii(plain) if "://" in plain else repr(plain)


def shown(url: str) -> str:
    """A URL for a message: without credentials and without query, which may contain a signature."""
    return mask(_QUERY.sub("...", url))
