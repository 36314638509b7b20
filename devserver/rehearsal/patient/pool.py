"""The clusters of a rehearsal's patients: each is made once, and reset to the data of a new one between two runs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...cluster import Cluster, ClusterControl
from ...cluster.control import start_seconds
from ...errors import DevServerError
from ...system.paths import Paths
from ...system.threads import async_block, in_thread

NAME = "patient"
START_FACTOR = 2  # a rehearsal runs beside other work


@dataclass
class _Running:
    cluster: Cluster
    control: ClusterControl
    status: dict[str, Any]
    closing: contextlib.AsyncExitStack


class PatientPool:
    """Clusters in `folder`, for one run at a time each. What is borrowed has the data of a new cluster.

    With a `name` they are ordinary clusters of this user, which `devserver cluster` lists: the second one is NAME-2.

    A scenario whose cluster has the same processes, version and database as the one before gets that one. Use it in
    `async with`; at the end of the block nothing is left of them.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self._paths = Paths.default() if name else Paths.default()._replace(data=folder)
        self._name = name
        self._idle: list[_Running] = []
        self._made = 0

    @contextlib.asynccontextmanager
    async def borrowed(self, cluster: Cluster) -> AsyncIterator[tuple[ClusterControl, dict[str, Any]]]:
        """A cluster as declared, that serves, and its status.

        Raises:
            DevServerError: What it needs is not on this machine, or it does not start.
        """
        found = await self._reset(cluster) or await self._start(cluster)
        try:
            yield found.control, found.status
        finally:
            self._idle.append(found)

    async def __aenter__(self) -> PatientPool:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._close_idle()

    async def _reset(self, cluster: Cluster) -> _Running | None:
        wanted = _processes(cluster)
        found = next((each for each in self._idle if _processes(each.cluster) == wanted), None)
        if found is None:
            await self._close_idle()  # the machine may not have room for two
            return None
        self._idle.remove(found)
        limit = START_FACTOR * start_seconds(cluster)
        try:
            found.status = await in_thread(
                lambda: found.control.ask("reset", declaration=cluster.to_json(), limit=limit)
            )
        except BaseException as error:
            await self._close(found)
            if isinstance(error, DevServerError):
                return None  # a fault may have ended the process that supervises it
            raise
        found.cluster = cluster
        return found

    async def _start(self, cluster: Cluster) -> _Running:
        self._made += 1
        name = self._name if self._name and self._made == 1 else f"{self._name or NAME}-{self._made}"
        control = ClusterControl(name, self._paths)
        async with contextlib.AsyncExitStack() as undo:
            status = await undo.enter_async_context(
                async_block(control.started(cluster, limit=START_FACTOR * start_seconds(cluster), patient=True))
            )
            return _Running(cluster, control, status, undo.pop_all())
        raise AssertionError("not reached")

    async def _close_idle(self) -> None:
        while self._idle:
            await self._close(self._idle.pop())

    async def _close(self, found: _Running) -> None:
        await found.closing.aclose()
        with contextlib.suppress(DevServerError):
            await in_thread(found.control.delete)


def _processes(cluster: Cluster) -> object:
    """What belongs to the processes and their data; the rest can differ from run to run."""
    return cluster.version, cluster.roles, cluster.shards, cluster.database


@contextlib.asynccontextmanager
async def pool_in(folder: Path, given: PatientPool | None) -> AsyncIterator[PatientPool]:
    """The given pool, or one in `folder` for the time of the block."""
    if given is not None:
        yield given
        return
    async with PatientPool(folder) as pool:
        yield pool
