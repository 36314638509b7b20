"""The hooks of pytest that adoption needs; registered only where `--temporal-adopt` is on."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from ..isolation import pytest_run
from ..options import ANY_VERSION
from .adoption import Adoption
from .patches import Patches
from .summary import WORKER_OUTPUT, show


class AdoptionHooks:
    """Adopts environments in this process from now until pytest ends."""

    def __init__(self, config: pytest.Config) -> None:
        settings = config.stash[pytest_run.SETTINGS]
        self._config = config
        self._adoption = Adoption(lambda: pytest_run.session_of(config), any_version=settings.adopt == ANY_VERSION)
        self._patches = Patches(self._adoption)
        config.stash[pytest_run.ADOPTED] = self._adoption.used
        self._modules: set[str] = set()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Start the shared server while collection continues, with the first module that will need it."""
        if pytest_run.executes_all(self._config):
            self._begin([getattr(item, "module", None)])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start the shared server if a module of the selected tests or a conftest will need it."""
        if session.items:
            conftests = [plugin for plugin in self._config.pluginmanager.get_plugins() if hasattr(plugin, "__file__")]
            self._begin([*(getattr(item, "module", None) for item in session.items), *conftests])

    def _begin(self, modules: list[Any]) -> None:
        if pytest_run.forks(self._config):
            return
        for module in modules:
            name = getattr(module, "__name__", "")
            if name and name not in self._modules and not name.startswith("temporaltest"):
                self._modules.add(name)
                if any(value is WorkflowEnvironment for value in vars(module).values()):
                    pytest_run.session_of(self._config).begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know which environments this test uses, for the report of a failure."""
        self._adoption.begin_test()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Know whether a fixture of the session starts an environment."""
        before = self._adoption.in_session_fixture
        self._adoption.in_session_fixture = fixturedef.scope == "session"
        try:
            return (yield)
        finally:
            self._adoption.in_session_fixture = before

    def pytest_sessionfinish(self) -> None:
        """Send the list of servers of their own to the controller of xdist."""
        if hasattr(self._config, "workeroutput"):
            own = [(server.place, server.reason) for server in self._adoption.own_servers]
            self._config.workeroutput[WORKER_OUTPUT] = own

    def pytest_unconfigure(self) -> None:
        """Put the SDK's methods back, and close what the tests left open."""
        self._patches.undo()
        self._adoption.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show which environments have servers of their own."""
        show(terminalreporter, self._adoption.own_servers)
