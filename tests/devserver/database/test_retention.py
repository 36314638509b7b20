"""Copies that restores and upgrades make by themselves do not pile up."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver import database
from devserver.database import kept_copies, restore_into, snapshots
from devserver.database.retention import KEPT, prune_backups
from devserver.database.upgrade import back_up

from .conftest import SERVER
from .test_restore import mark, marks


def test_the_newest_replaced_states_are_kept(db: Path, tmp_path: Path) -> None:
    """Of the snapshots that restores save, the newest ones stay; those that the user named all stay."""
    database.stamp(db, SERVER, "1.9.1")
    folder = tmp_path / "s"
    own = [snapshots.save(db, folder, f"own-{number}", server_version=SERVER) for number in range(2)]
    notes: list[str] = []
    for number in range(60, 60 + KEPT + 3):
        mark(db, number)
        restore_into(own[0], db, note=notes.append)
    names = [snapshot.name for snapshot in snapshots.list_(folder)]
    replaced = [snapshot for snapshot in snapshots.list_(folder) if snapshot.name.startswith("before-restore-")]
    assert len(replaced) == KEPT
    assert {"own-0", "own-1"} < set(names)
    assert len(notes) == 3
    assert all(f"the newest {KEPT} of these are kept" in note for note in notes)
    assert {tuple(marks(snapshot.database)) for snapshot in replaced} == {(number,) for number in range(63, 63 + KEPT)}
    count, size = kept_copies(folder, tmp_path / "backups")
    assert (count, size > KEPT * db.stat().st_size) == (KEPT, True)


def test_the_newest_backups_are_kept(db: Path, tmp_path: Path) -> None:
    """Each upgrade makes a backup and deletes the oldest ones."""
    backups = tmp_path / "backups"
    made = [back_up(db, backups, SERVER) for _ in range(KEPT + 2)]
    assert sorted(backups.glob("*.db")) == sorted(made[2:])
    assert prune_backups(backups) == []
    assert kept_copies(tmp_path / "none", backups)[0] == KEPT


def test_a_backup_that_was_killed(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never a backup by name: not while it is copied, and what is left of it is removed by the next backup."""
    backups = tmp_path / "backups"
    seen: list[str] = []

    def killed(source: Path, target: Path) -> None:
        for path in (target, target.with_name(f"{target.name}-journal")):
            path.write_bytes(b"half")
        seen.extend(path.name for path in backups.glob("*.db"))
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr("devserver.database.upgrade.copy_whole", killed)
        with pytest.raises(SystemExit):
            back_up(db, backups, SERVER)
    assert seen == []
    made = back_up(db, backups, SERVER)
    assert list(backups.iterdir()) == [made]
