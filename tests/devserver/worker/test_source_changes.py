"""Which file changes reload a worker."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from devserver.worker.import_snapshot import imported_files
from devserver.worker.source_changes import SourceChanges


class Changes:
    """Records reported changes, and waits for them."""

    def __init__(self) -> None:
        self.changed: asyncio.Queue[list[str]] = asyncio.Queue()

    def __call__(self, paths: Sequence[str]) -> None:
        """Record a change."""
        self.changed.put_nowait([Path(path).name for path in paths])

    async def next(self) -> list[str]:
        """Return the next change."""
        return await asyncio.wait_for(self.changed.get(), 20)


def test_only_imported_files_count_until_an_error(tmp_path: Path) -> None:
    """Other files are ignored, unless the code does not load and an edit may fix it."""

    async def look() -> None:
        reported = Changes()
        changes = SourceChanges(reported)
        one, other = tmp_path / "one.py", tmp_path / "other.py"
        one.touch()
        await changes.watch([str(one)], since=time.time() + 60)
        other.touch()
        (tmp_path / "one.txt").touch()
        one.write_text("1")
        assert await reported.next() == ["one.py"]
        changes.any_file = True
        other.write_text("1")
        assert await reported.next() == ["other.py"]
        one.unlink()
        assert await reported.next() == ["one.py"]
        await changes.close()

    asyncio.run(look())


def test_an_edit_during_the_import_is_not_lost(tmp_path: Path) -> None:
    """A file written after its import started is reported at once, and once only."""

    async def look() -> None:
        reported = Changes()
        changes = SourceChanges(reported)
        early, late = tmp_path / "early.py", tmp_path / "late.py"
        for file in (early, late):
            file.touch()
        began = time.time()
        os.utime(early, (began - 1, began - 1))
        os.utime(late, (began + 1, began + 1))
        for _ in range(2):
            await changes.watch([str(early), str(late)], since=began)
        assert await reported.next() == ["late.py"]
        assert reported.changed.empty()
        await changes.close()

    asyncio.run(look())


def test_polling_when_no_more_folders_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the system's limit of watches, changes are found by polling."""
    awatch = watchfiles.awatch

    def limited(*folders: str, force_polling: bool | None, **options: Any) -> AsyncGenerator[set[Any], None]:
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return awatch(*folders, force_polling=True, **options)

    monkeypatch.setattr(watchfiles, "awatch", limited)

    async def look() -> None:
        reported = Changes()
        changes = SourceChanges(reported)
        file = tmp_path / "one.py"
        file.touch()
        os.utime(file, (1, 1))  # polling detects differences of a second
        await changes.watch([str(file)], since=time.time() + 60)
        file.write_text("1")
        assert await reported.next() == ["one.py"]
        await changes.close()

    asyncio.run(look())


def test_installed_files_are_not_watched() -> None:
    """Python's own modules, packages and devserver itself are not watched."""
    found = imported_files()
    assert __file__ in found
    assert not [path for path in found if "site-packages" in path or "/devserver/running/loaded" in path]
    assert not [path for path in found if path.endswith(("/asyncio/__init__.py", "/os.py"))]
