"""The preparation of a database file before a server starts: nothing, an upgrade, or an error."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DatabaseTooNew, DatabaseTooOld
from ..system.timefmt import utc_now
from .header import Header, read_header
from .lock import resolved
from .stamp import Stamp, fits, forget_stamp, read_stamp, write_stamp
from .users import refuse_users
from .versions import age, named

if TYPE_CHECKING:
    from .schema import Difference

Note = Callable[[str], None]


def prepare(
    db: Path,
    *,
    executable: Path,
    server_version: str,
    upgrade: bool = True,
    backups: Path,
    schemas: Path,
    note: Note,
) -> None:
    """Make sure that server `server_version` can run on `db`. Call it with the lease held, before the start.

    A stamp of the same version is believed, in a millisecond and without SQLite. Otherwise the file
    is compared with one that `executable` makes (kept in `schemas`), and upgraded where it is older.

    Raises:
        DatabaseError: A folder, unreadable, read-only, or not Temporal's.
        DatabaseCorrupt: Damaged, or cut short.
        DatabaseTooNew: Written by a newer server.
        DatabaseTooOld: Written by an older one, and `upgrade` is off or did not work.
        DatabaseInUse: To be upgraded while another process has it open.
    """
    db = resolved(db)
    header = read_header(db)
    if header is None:
        _make_way(db)
        return
    stamp = read_stamp(db)
    if stamp is not None and not fits(stamp, header.schema_cookie):
        note(f"{db} was replaced since it was stamped; comparing its tables")
        stamp = None
    if stamp is not None and stamp.last_written_by == server_version:
        return
    _Case(db, header, stamp, executable, server_version, note).settle(upgrade, backups, schemas)


def _make_way(db: Path) -> None:
    # The server makes its tables only where there is no file at all; one of 0 bytes holds nothing to lose.
    db.unlink(missing_ok=True)
    forget_stamp(db)


class _Case:
    """A file without a stamp, or with the stamp of another version."""

    def __init__(
        self, db: Path, header: Header, stamp: Stamp | None, executable: Path, wanted: str, note: Note
    ) -> None:
        self.db = db
        self.header = header
        self.stamp = stamp
        self.executable = executable
        self.wanted = wanted
        self.note = note

    @property
    def found(self) -> str | None:
        """The version that last wrote the file, if it is known."""
        return self.stamp.last_written_by if self.stamp else None

    def settle(self, upgrade: bool, backups: Path, schemas: Path) -> None:
        """Reject, upgrade or accept the file, and stamp it; remove an unfinished one."""
        from . import upgrade as upgrading
        from .schema import compare, read_schema
        from .sqlite import remove_whole
        from .template import template
        from .unfinished import is_unfinished

        than = age(self.found, self.wanted)
        if than == "newer":
            raise self._too_new([f"its stamp says server {self.found}"])
        make = functools.partial(template, schemas, self.executable, self.wanted, self.note)
        if self.stamp is None and is_unfinished(self.db, make):
            refuse_users(self.db)
            self.note(f"{self.db} is unfinished: its server was killed while creating it; creating it again")
            remove_whole(self.db)
            return
        schema = read_schema(self.db)
        wanted = make()
        difference = compare(schema, read_schema(wanted))
        if difference.extra and than != "older":
            raise self._too_new(
                [
                    f"server {self.wanted} does not know: {_some(difference.extra)}",
                    "(tables of your own belong in a file of their own)",
                ]
            )
        if difference.lacking:
            if not upgrade:
                raise self._too_old(difference)
            upgrading.upgrade(self.db, wanted, backups, found=self.found, wanted=self.wanted, note=self.note)
        elif than == "older":
            refuse_users(self.db)
            backup = upgrading.back_up(self.db, backups, self.found)
            self.note(f"backed up {self.db} to {backup}: server {self.found} cannot continue after {self.wanted}")
        self._restamp()

    def _restamp(self) -> None:
        before = self.stamp
        write_stamp(
            self.db,
            Stamp(
                last_written_by=self.wanted,
                last_written_by_cli=None,
                last_written_at=utc_now(),
                made_by=before.made_by if before else None,
                made_by_cli=before.made_by_cli if before else None,
                made_at=before.made_at if before else None,
            ),
        )

    def _too_new(self, details: list[str]) -> DatabaseTooNew:
        cli = self.stamp.last_written_by_cli if self.stamp else None
        return DatabaseTooNew(
            f"the database {self.db} was written by a newer server than {self.wanted}",
            details=[*details, "it was not changed"],
            hint=f"ask for {'--version ' + cli if cli else 'a newer version with --version'}, "
            "or use another file with --db-filename",
        )

    def _too_old(self, difference: Difference) -> DatabaseTooOld:
        cli = self.stamp.last_written_by_cli if self.stamp else None
        return DatabaseTooOld(
            f"the database {self.db} was written by an older server than {self.wanted}",
            details=[
                f"written by {named(self.found)}",
                f"missing: {_some(difference.missing) or 'some indexes or triggers'}",
            ],
            hint="omit --no-upgrade (the file is backed up first), "
            f"or use the older version: --version {cli or 'VERSION'}",
        )


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
