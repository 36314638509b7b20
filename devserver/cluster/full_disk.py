"""The disk of a cluster's PostgreSQL is full: the kernel refuses writes that make its files grow (Linux).

A file in the cluster's folder holds the limit while the disk is full, so that a restart of PostgreSQL changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ..errors import OptionError
from ..system.files import write_private
from .declaration import DATABASE
from .folder import ClusterFolder

MARK = "disk-full"
LOG_ROOM = 262144  # bytes that PostgreSQL's log may still grow by: the limit holds for all of its files
FELT = "File too large"


def fill(folder: ClusterFolder, pids: Iterable[int]) -> None:
    """Fill it, for processes that run and those that start later.

    Raises:
        OptionError: This system has no such limit.
    """
    import resource

    if not hasattr(resource, "prlimit"):
        raise OptionError("the disk of a cluster's database can be filled on Linux only")
    log = folder.log(DATABASE)
    limit = (log.stat().st_size if log.exists() else 0) + LOG_ROOM
    write_private(folder.path / MARK, str(limit))
    _set(pids, limit)


def is_full(folder: ClusterFolder) -> bool:
    """Whether it is."""
    return (folder.path / MARK).exists()


def free(folder: ClusterFolder, pids: Iterable[int] = ()) -> None:
    """Give the disk its space back. What had ended has to be started."""
    import resource

    (folder.path / MARK).unlink(missing_ok=True)
    _set(pids, resource.RLIM_INFINITY)


@contextlib.contextmanager
def inherited(folder: ClusterFolder) -> Iterator[None]:
    """A process that is started in the block has the limit while the disk is full."""
    mark = folder.path / MARK
    if not mark.exists():
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(mark.read_text()), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _set(pids: Iterable[int], limit: int) -> None:
    import resource

    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
