"""What the plugin keeps with pytest's own objects: settings and the session with a run, the case with a test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .config import PluginConfig

if TYPE_CHECKING:
    from .isolation.context import CaseContext
    from .isolation.session import Session

SETTINGS: pytest.StashKey[PluginConfig] = pytest.StashKey()
CASE: pytest.StashKey[CaseContext] = pytest.StashKey()
SESSION: pytest.StashKey[Session] = pytest.StashKey()


def session(config: pytest.Config) -> Session:
    """The run's hold on its server; made when it is first asked for, and again in a forked child of the process.

    Such a child (pytest-forked has one for each test) has none of the threads that a session lives in.
    """
    from .isolation.session import Session

    found = config.stash.get(SESSION, None)
    if found is None or found.pid != os.getpid():
        found = config.stash[SESSION] = Session(config.stash[SETTINGS], config.rootpath)
    return found


def close(config: pytest.Config) -> None:
    """Give the session up, if there is one."""
    if SESSION in config.stash:
        config.stash[SESSION].close()
        del config.stash[SESSION]
