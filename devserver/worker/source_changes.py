"""Watches the user's files that a worker has imported."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..introspection.import_module import is_part

if TYPE_CHECKING:
    from watchfiles import Change

STEP_MILLISECONDS = 50  # without a change before changes are reported: editors write a file in several steps
COARSE_SECONDS = 0.02  # a file time may be this much earlier than the clock


def can_watch() -> bool:
    """Whether the extra `run` is installed."""
    return importlib.util.find_spec("watchfiles") is not None


class SourceChanges:
    """Watches the folders of some files, and calls `on_change` with the paths that changed (real paths).

    Changes of the watched files count, and new files in the folders `packages`. While `any_file` is set, changes of any
    Python file in those folders count: the code does not load, and the fix may be anywhere.
    """

    def __init__(self, on_change: Callable[[Sequence[str]], None]) -> None:
        self._on_change = on_change
        self._files: frozenset[str] = frozenset()
        self._packages: frozenset[str] = frozenset()
        self._folders: frozenset[str] = frozenset()
        self._known: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self.any_file = False

    async def watch(self, files: Iterable[str], since: float, packages: Iterable[str] = ()) -> None:
        """Watch these files; those written after `since` (seconds since the epoch) count as changed."""
        self._files, self._packages = frozenset(files), frozenset(packages)
        folders = frozenset(filter(os.path.isdir, map(os.path.dirname, self._files)))
        if folders != self._folders:
            await self.close()
            self._folders = folders
            self._task = asyncio.create_task(self._follow())
            await asyncio.sleep(0)  # its first step begins to watch
        self._report({file for file in self._files if _written(file) > since - COARSE_SECONDS})

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self._folders = frozenset()

    async def _follow(self) -> None:
        if not self._folders:
            return
        try:
            await self._follow_by(polling=False)
        except (OSError, RuntimeError):  # the limit of the system on watched folders is reached
            await self._follow_by(polling=True)

    async def _follow_by(self, *, polling: bool) -> None:
        from watchfiles import awatch

        async for changes in awatch(
            *self._folders,
            watch_filter=self._counts,
            step=STEP_MILLISECONDS,
            recursive=False,
            force_polling=polling or None,
        ):
            self._report({os.path.realpath(path) for _, path in changes})

    def _report(self, paths: Iterable[str]) -> None:
        """Report the files that were written since they were last reported."""
        fresh = {path: _written(path) for path in paths}
        fresh = {path: when for path, when in fresh.items() if self._known.get(path) != when}
        self._known.update(fresh)
        if fresh:
            self._on_change(sorted(fresh))

    def _counts(self, _: Change, path: str) -> bool:
        if not path.endswith(".py"):
            return False
        folder, name = os.path.split(os.path.realpath(path))
        new = folder in self._packages and is_part(name.removesuffix(".py"))
        return self.any_file or new or os.path.join(folder, name) in self._files  # noqa: PTH118 - a hot path


def _written(file: str) -> float:
    try:
        return os.stat(file).st_mtime  # noqa: PTH116 - a hot path over many files
    except OSError:
        return 0.0
