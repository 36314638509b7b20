"""`devserver versions`: the executables that are known and installed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import click

from ...executables.advisories import advisories_for
from ...executables.releases import DEFAULT_VERSION, SERVER_VERSIONS
from ...executables.versions import order, pin
from ...system.paths import Paths
from ...system.platforms import current

_INTACT = {None: "", True: "intact", False: "CHANGED since it was installed (devserver doctor says what to do)"}


@dataclass(frozen=True)
class Row:
    """One version, as `--json` prints it.

    Attributes:
        version: Of the CLI.
        server_version: Of the server inside.
        default: Whether it is run where no version is asked for.
        pinned: Whether its SHA-256 for this machine is known beforehand.
        advisories: Names of the advisories that apply to it.
        installed: Whether the store has it.
        path: Of the installed executable, else null.
        sha256: Of the installed executable, else the pinned one, else null.
        source: Where the installed one came from, else null.
        intact: With --verify, whether the installed one still has its SHA-256, else null.
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


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, newest version first.")
@click.option("--verify", is_flag=True, help="Hash the installed ones again; exit 1 if one has changed.")
def versions(as_json: bool, verify: bool) -> int:
    """List the executables that are known and installed.

    An installed version is marked with *. The form of --json is stable: a list of objects with the keys
    version, server_version, default, pinned, advisories, installed, path, sha256, source and intact.
    """
    rows = _rows(Paths.default(), verify)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        for line in _table(rows):
            click.echo(line)
    return 1 if any(row.intact is False for row in rows) else 0


def _rows(paths: Paths, verify: bool) -> list[Row]:
    from ... import executables

    key = current().key
    there = {item.version: item for item in executables.installed(paths) if item.path.parent.name.endswith(key)}
    intact = {v.executable.version: v.intact for v in executables.verify(paths)} if verify else {}
    rows = []
    for version in sorted({*SERVER_VERSIONS, *there}, key=order, reverse=True):
        held = there.get(version)
        server = held.server_version if held else SERVER_VERSIONS[version]
        pinned = pin(version, key)
        row = Row(
            version=version,
            server_version=server,
            default=version == DEFAULT_VERSION,
            pinned=held.pinned if held else pinned is not None,
            advisories=[advisory.id for advisory in advisories_for(server)],
            installed=held is not None,
            path=str(held.path) if held else None,
            sha256=held.sha256 if held else pinned,
            source=held.source if held else None,
            intact=intact.get(version),
        )
        rows.append(row)
    return rows


def _table(rows: list[Row]) -> list[str]:
    lines = ["  VERSION     SERVER      NOTES"]
    for row in rows:
        notes = [
            "default" if row.default else "",
            f"installed ({row.source})" if row.source else "",
            "" if row.pinned else "not pinned",
            _INTACT[row.intact],
            f"advisories: {', '.join(row.advisories)}" if row.advisories else "",
        ]
        mark = "*" if row.installed else " "
        text = "; ".join(note for note in notes if note)
        lines.append(f"{mark} {row.version:<11} {row.server_version:<11} {text}".rstrip())
    return lines
