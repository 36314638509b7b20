"""The stamp beside a database file: the versions of the servers that created it and last wrote to it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..system.files import write_private
from ..system.timefmt import utc_now
from .header import read_header, sidecar


@dataclass(frozen=True)
class Stamp:
    """The content of a stamp; None where it is unknown: the file is older than the stamp."""

    last_written_by: str
    last_written_by_cli: str | None
    last_written_at: str
    made_by: str | None = None
    made_by_cli: str | None = None
    made_at: str | None = None
    # SQLite's counter of schema changes. Another number means another schema: the file was
    # exchanged behind the stamp's back, and the stamp is not about it.
    schema_cookie: int | None = None


def stamp_path(db: Path) -> Path:
    """Where the stamp of `db` is."""
    return sidecar(db, ".stamp.json")


def read_stamp(db: Path) -> Stamp | None:
    """The stamp of `db`; None where there is none, or none that can be read."""
    try:
        data = json.loads(stamp_path(db).read_text())
        return Stamp(**{key: data.get(key) for key in Stamp.__dataclass_fields__})
    except (OSError, ValueError, AttributeError):
        return None


def fits(stamp: Stamp, cookie: int | None) -> bool:
    """Whether the stamp is about a file of this schema cookie; unknown cookies are believed."""
    return None in (stamp.schema_cookie, cookie) or stamp.schema_cookie == cookie


def stamp(db: Path, server_version: str, cli_version: str | None = None) -> None:
    """Note that this server writes to `db` from now on; a file without a stamp was made by it.

    Called once the server is ready. `prepare` has stamped a file that was there before.
    """
    db = db.resolve()
    now = utc_now()
    before = read_stamp(db)
    written = Stamp(last_written_by=server_version, last_written_by_cli=cli_version, last_written_at=now)
    if before is None:
        written = replace(written, made_by=server_version, made_by_cli=cli_version, made_at=now)
    else:
        written = replace(written, made_by=before.made_by, made_by_cli=before.made_by_cli, made_at=before.made_at)
    write_stamp(db, written)


def write_stamp(db: Path, stamp: Stamp) -> None:
    """Write `stamp` beside `db`, with the schema cookie that the file has now."""
    header = read_header(db)
    stamp = replace(stamp, schema_cookie=header.schema_cookie if header else None)
    write_private(stamp_path(db), json.dumps(asdict(stamp), indent=2) + "\n")


def forget_stamp(db: Path) -> None:
    """Remove a stamp whose file is gone."""
    with contextlib.suppress(FileNotFoundError):
        stamp_path(db).unlink()
