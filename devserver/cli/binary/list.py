"""`devserver binary list`: known and installed versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from ...executables.advisories import advisories_for
from ...executables.known_releases import DEFAULT_VERSION, SERVER_VERSIONS
from ...executables.versions import pinned_sha256, version_key
from ...system.paths import Paths
from ...system.platforms import current
from ..options.common import json_option
from ..render.output import echo_form
from ..render.table import echo_table

if TYPE_CHECKING:
    from ...executables import Executable

HEAD = ("  VERSION", "SERVER", "NOTES")
_INTACT = {None: "", True: "intact", False: "CHANGED since it was installed (devserver doctor says what to do)"}


@dataclass(frozen=True)
class VersionRow:
    """One version, as `--json` prints it.

    Attributes:
        version: Version of the Temporal CLI.
        server_version: Version of the server in it.
        default: Whether it is used where no version is asked for.
        pinned: Whether its SHA-256 for this machine is known beforehand.
        advisories: Names of the advisories that apply to it.
        installed: Whether it is installed.
        path: Path of the installed executable, else null.
        sha256: SHA-256 of the installed executable, else the pinned one, else null.
        source: Source of the installed executable, else null.
        intact: With --verify, whether the installed executable still has its SHA-256, else null.
    """

    version: str
    server_version: str
    default: bool
    pinned: bool
    advisories: list[str]
    installed: bool
    path: str | None
    sha256: str | None
    source: str | None
    intact: bool | None


@click.command(name="list")
@click.option("--verify", is_flag=True, help="Hash installed executables again; exit 1 if one has changed.")
@json_option
def list_(as_json: bool, verify: bool) -> int:
    """List known and installed versions, the newest first. Installed versions are marked with *."""
    rows = _rows(Paths.default(), verify)
    if as_json:
        echo_form(versions=[asdict(row) for row in rows])
    else:
        echo_table(HEAD, (_cells(row) for row in rows))
    return 1 if any(row.intact is False for row in rows) else 0


def _rows(paths: Paths, verify: bool) -> list[VersionRow]:
    from ... import executables

    key = current().key
    there: dict[str, list[Executable | None]] = {version: [None] for version in SERVER_VERSIONS}
    for item in executables.installed(paths, platform=key):
        there[item.version] = [*filter(None, there.get(item.version, [])), item]
    intact = {v.executable.sha256: v.intact for v in executables.verify(paths)} if verify else {}
    return [
        _row(version, held, pinned_sha256(version, key), intact)
        for version in sorted(there, key=version_key, reverse=True)
        for held in there[version]
    ]


def _row(version: str, held: Executable | None, pinned: str | None, intact: Mapping[str, bool]) -> VersionRow:
    """A version that is known, or an executable of it that is installed."""
    server = held.server_version if held else SERVER_VERSIONS[version]
    return VersionRow(
        version=version,
        server_version=server,
        default=version == DEFAULT_VERSION and (held is None or held.pinned),
        pinned=held.pinned if held else pinned is not None,
        advisories=[advisory.id for advisory in advisories_for(server)],
        installed=held is not None,
        path=str(held.path) if held else None,
        sha256=held.sha256 if held else pinned,
        source=held.source if held else None,
        intact=intact.get(held.sha256) if held else None,
    )


def _cells(row: VersionRow) -> tuple[str, ...]:
    notes = [
        "default" if row.default else "",
        "" if not row.source else "installed" if row.source == "installed" else f"installed ({row.source})",
        "" if row.pinned else "not pinned",
        _INTACT[row.intact],
        f"advisories: {', '.join(row.advisories)}" if row.advisories else "",
    ]
    mark = "*" if row.installed else " "
    return f"{mark} {row.version}", row.server_version, "; ".join(note for note in notes if note)
