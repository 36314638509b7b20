"""The options of a server's TLS port: their names and checks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import OptionError

GENERATED = "generated"  # in place of an API key
STORED = "*"  # in place of one that a record does not name: it is in a file of its own
TLS_OPTIONS = ("tls_port", "tls_client_auth", "tls_hostnames", "tls_expired", "api_key")
LONGEST_HOST_NAME = 253

_API_KEY = re.compile(r"[!-~]+\Z")
_HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z|[0-9A-Fa-f:]+\Z")


def used(options: object) -> tuple[str, ...]:
    """The names of those in use."""
    return tuple(name for name in TLS_OPTIONS if getattr(options, name) not in (None, False, ()))


def check_tls(tls: bool | None, others: Sequence[str], api_key: str | None, hostnames: Sequence[str]) -> None:
    """Check the options.

    Args:
        tls: Whether there is a TLS port; None: if one of the others is used.
        others: The names of the others in use.
        api_key: The API key.
        hostnames: Further names of the certificate.

    Raises:
        OptionError: They contradict each other, or one has an invalid value.
    """
    if tls is False and others:
        names = ", ".join("--" + name.replace("_", "-") for name in others)
        raise OptionError(f"--no-tls contradicts {names}", hint="leave one of them out")
    if api_key is not None and not _API_KEY.match(api_key):
        raise OptionError(
            "--api-key has a space, or a character that is not ASCII, or none at all",
            hint=f"use --api-key {GENERATED} for a random one",
        )
    for name in hostnames:
        if not _HOST_NAME.match(name) or len(name) > LONGEST_HOST_NAME:
            raise OptionError(
                f"--tls-hostname {name!r} is not a host name or an IP address",
                hint="for example --tls-hostname orders.a1b2c.tmprl.cloud",
            )
