"""Published security advisories and the server versions they apply to."""

from __future__ import annotations

import re
from dataclasses import dataclass

_Version = tuple[int, int, int]
_FORM = re.compile(r"(\d+)\.(\d+)\.(\d+)(-.+)?")


@dataclass(frozen=True)
class Advisory:
    """A published security advisory on the server.

    Attributes:
        id: The CVE id.
        summary: What an attacker can do.
        affected: Ranges of server versions, from the first (included) to the fixed one (excluded).
    """

    id: str
    summary: str
    affected: tuple[tuple[_Version, _Version], ...]

    def applies_to(self, server_version: str) -> bool:
        """Whether that version is affected. A pre-release of a fixed version is."""
        found = _FORM.match(server_version)
        if found is None:
            return False
        version = (int(found[1]), int(found[2]), int(found[3]))
        early = found[4] is not None
        return any(low <= version < fix or (early and version == fix) for low, fix in self.affected)


ADVISORIES = (
    Advisory(
        "CVE-2023-3485",
        "insecure defaults: a forged task token reaches another namespace",
        affected=(((0, 0, 0), (1, 20, 0)),),
    ),
    Advisory(
        "CVE-2025-14986",
        "a request made of several operations is checked against another namespace than the one it acts on",
        affected=(((0, 0, 0), (1, 27, 4)), ((1, 28, 0), (1, 28, 2)), ((1, 29, 0), (1, 29, 2))),
    ),
    Advisory(
        "CVE-2025-14987",
        "a worker's commands act on another namespace without a check",
        affected=(((0, 0, 0), (1, 27, 4)), ((1, 28, 0), (1, 28, 2)), ((1, 29, 0), (1, 29, 2))),
    ),
    Advisory(
        "CVE-2026-5199",
        "a writer of one namespace signals, resets and deletes workflows of another in batches",
        affected=(((1, 29, 0), (1, 29, 5)), ((1, 30, 0), (1, 30, 3))),
    ),
)


def advisories_for(server_version: str) -> tuple[Advisory, ...]:
    """The advisories for a server version such as `1.32.0`; none for a version that is not a number."""
    return tuple(advisory for advisory in ADVISORIES if advisory.applies_to(server_version))
