"""Which of the user's files have changed since the worker imported them."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..introspection.import_module import is_part

if TYPE_CHECKING:
    from watchfiles import Change

STEP_MILLISECONDS = 50  # without a change, before changes are told: editors write a file in several steps
COARSE_SECONDS = 0.02  # how much earlier than the clock a file may seem to have been written


def can_watch() -> bool:
    """Whether the extra `run` is installed."""
    return importlib.util.find_spec("watchfiles") is not None


class SourceChanges:
    """Watches the folders of some files, and tells `changed` the paths that have changed in them (real paths).

    Only of `files`, and of new files in the folders `packages`; of any Python file in their folders while `anything` is
    set, because then something is amiss that may be mended anywhere.
    """

    def __init__(self, changed: Callable[[Sequence[str]], None]) -> None:
        self._changed = changed
        self._files: frozenset[str] = frozenset()
        self._packages: frozenset[str] = frozenset()
        self._folders: frozenset[str] = frozenset()
        self._known: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self.anything = False

    async def watch(self, files: Iterable[str], since: float, packages: Iterable[str] = ()) -> None:
        """Watch these from now on; those that were written after `since` (seconds since the epoch) count at once."""
        self._files, self._packages = frozenset(files), frozenset(packages)
        folders = frozenset(filter(os.path.isdir, map(os.path.dirname, self._files)))
        if folders != self._folders:
            await self.close()
            self._folders = folders
            self._task = asyncio.create_task(self._follow())
            await asyncio.sleep(0)  # its first step begins to watch
        self._tell({each for each in self._files if _written(each) > since - COARSE_SECONDS})

    async def close(self) -> None:
        """Watch no more."""
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
        except (OSError, RuntimeError):  # the system lets a user watch so many folders and no more
            await self._follow_by(polling=True)

    async def _follow_by(self, *, polling: bool) -> None:
        from watchfiles import awatch

        async for found in awatch(
            *self._folders,
            watch_filter=self._counts,
            step=STEP_MILLISECONDS,
            recursive=False,
            force_polling=polling or None,
        ):
            self._tell({os.path.realpath(path) for _, path in found})

    def _tell(self, paths: Iterable[str]) -> None:
        """Tell those whose last change has not been told."""
        fresh = {each: _written(each) for each in paths}
        fresh = {each: when for each, when in fresh.items() if self._known.get(each) != when}
        self._known.update(fresh)
        if fresh:
            self._changed(sorted(fresh))

    def _counts(self, _: Change, path: str) -> bool:
        if not path.endswith(".py"):
            return False
        folder, name = os.path.split(os.path.realpath(path))
        new = folder in self._packages and is_part(name.removesuffix(".py"))
        return self.anything or new or os.path.join(folder, name) in self._files  # noqa: PTH118 - a hot path


def _written(file: str) -> float:
    try:
        return os.stat(file).st_mtime  # noqa: PTH116 - a hot path over many files
    except OSError:
        return 0.0
