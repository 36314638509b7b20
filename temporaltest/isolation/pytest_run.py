"""The pytest run: its settings and session, which tests it executes, and what xdist's processes exchange.

Imports nothing heavy: the plugin's hooks use it in runs that need no Temporal.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ..config import PluginConfig

if TYPE_CHECKING:
    from .context import CaseContext
    from .session import Session

SETTINGS: pytest.StashKey[PluginConfig] = pytest.StashKey()
CASE: pytest.StashKey[CaseContext] = pytest.StashKey()
SESSION: pytest.StashKey[Session] = pytest.StashKey()
ADOPTED: pytest.StashKey[Callable[[], list[CaseContext]]] = pytest.StashKey()

USAGE_ERROR = "temporal_usage_error"
# Options that collect and execute nothing, and options that execute some of what is collected.
COLLECT_ONLY = ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan", "cacheshow", "markers", "help")
SELECTING = ("keyword", "markexpr", "deselect", "lf", "stepwise")


def session_of(config: pytest.Config) -> Session:
    """The session of this process, created on first use.

    A forked child (pytest-forked has one for each test) gets a session of its own: threads do not survive a fork.
    """
    from .session import Session

    session = config.stash.get(SESSION, None)
    if session is None or session.pid != os.getpid():
        session = config.stash[SESSION] = Session(config.stash[SETTINGS], config.rootpath)
    return session


def close_session(config: pytest.Config) -> None:
    """Close the session, if there is one."""
    if SESSION in config.stash:
        config.stash[SESSION].close()
        del config.stash[SESSION]


def executes_tests(config: pytest.Config) -> bool:
    """Whether the run executes tests at all."""
    return not any(getattr(config.option, name, None) for name in COLLECT_ONLY)


def executes_all(config: pytest.Config) -> bool:
    """Whether the run executes every test that is collected."""
    return executes_tests(config) and not any(getattr(config.option, name, None) for name in SELECTING)


def forks(config: pytest.Config) -> bool:
    """Whether each test runs in a forked child (pytest-forked), which does not have the threads of this process."""
    return bool(getattr(config.option, "forked", False))


@contextlib.contextmanager
def usage_errors_reach_controller(config: pytest.Config) -> Iterator[None]:
    """Pass a UsageError in an xdist worker to the controller too; xdist drops it."""
    try:
        yield
    except pytest.UsageError as error:
        if hasattr(config, "workeroutput"):
            config.workeroutput[USAGE_ERROR] = str(error)
        raise


def raise_usage_error(node: Any) -> None:
    """In the controller: raise the UsageError of an xdist worker that has ended.

    Raises:
        pytest.UsageError: The worker's.
    """
    message = getattr(node, "workeroutput", {}).get(USAGE_ERROR)
    if message is not None:
        raise pytest.UsageError(message)
