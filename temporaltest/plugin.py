"""The pytest plugin: its hooks, and nothing else. It imports nothing heavy until a test needs Temporal."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from . import config as settings
from . import rehearsals, requirements, scopes, selection, stash, xdist

# Not imported above: pytest warns of a plugin that was there before it could rewrite its asserts.
pytest_plugins = ("temporaltest.fixtures",)

NEEDING = frozenset({"_temporal_case", "temporal_server"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    settings.add_options(parser)
    rehearsals.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings once; declare the mark; record and replay stored histories if asked."""
    for line in requirements.MARK_LINES:
        config.addinivalue_line("markers", line)
    config.stash[stash.SETTINGS] = read = settings.read(config)
    if read.record is not None and not hasattr(config, "workerinput") and selection.runs(config):
        from .replay.writer import Recorder

        config.pluginmanager.register(Recorder(config, read.record), "temporal-recorder")
    if read.replay_from is not None:
        from .replay import items

        items.choose(config, read.replay_from, by_flag=config.getoption("temporal_replay_from") is not None)
        config.pluginmanager.register(items.Stored(read.replay_from), "temporal-stored")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect rehearsals from files that have their name."""
    return rehearsals.collect(file_path, parent)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is used."""
    return config.stash[stash.SETTINGS].header()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the marks, and begin the shared server with the first test that needs it, while collection goes on."""
    with xdist.usage_errors(item.config):
        needed = _needs_shared(item)
    if needed and selection.runs_all(item.config) and not selection.forks(item.config):
        stash.session(item.config).begin()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where only some of the tests run, begin the shared server if one of those needs it."""
    config = session.config
    if selection.runs(config) and not selection.forks(config) and any(map(_needs_shared, session.items)):
        stash.session(config).begin()


def _needs_shared(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    private = requirements.requirements_of(item).private or requirements.OUTAGE_FIXTURE in names
    return not private and not NEEDING.isdisjoint(names)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the shared server up."""
    stash.close(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the settings to each of xdist's workers."""
    node.workerinput[xdist.SETTINGS] = node.config.stash[stash.SETTINGS].to_wire()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End the run where one of xdist's workers found that it cannot be as it is."""
    xdist.raise_usage_error(node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the server is that is left up."""
    if config.stash[stash.SETTINGS].keep and selection.runs(config):
        from .backends import make

        kept = make(config.stash[stash.SETTINGS]).kept()
        if kept is not None:
            terminalreporter.section("Temporal")
            terminalreporter.write_line(f"the server is kept at {kept}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """After a test has passed, replay what ran in it: what fails then fails the test."""
    result = yield
    if stash.CASE in item.stash:
        from . import names
        from .errors import TemporalTestError

        try:
            item.stash[stash.CASE].check()
            item.stash[stash.CASE].checks.record(names.test_id(item.nodeid), item.config.rootpath)
        except TemporalTestError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
    for case in scopes.cases(item):
        case.check_workers()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what its workflows did, and of its traceback the user's lines."""
    case = item.stash.get(stash.CASE, None)
    wider = scopes.cases(item)
    left = scopes.left_by(item.config) if call.when == "teardown" else []
    from .errors import TemporalTestError

    ours = call.excinfo is not None and isinstance(call.excinfo.value, TemporalTestError)
    if case is None and not wider and not left and not ours:
        return (yield)
    from .replay import writer
    from .reports import attach
    from .workflows import tracebacks

    if call.excinfo is not None and not item.config.option.fulltrace:
        tracebacks.shorten(call.excinfo)
    report = yield
    if call.excinfo is not None:
        tracebacks.headline(report, call.excinfo.value)
    for each in [case, *wider] if report.failed else ():
        if each is not None:
            each.checks.failed = True
            attach.attach(item, each, report)
    if case is not None and report.when == "call" and report.passed:
        left = case.checks.recorded
    writer.hand_over(report, left)
    if case is not None and report.when == "teardown":
        del item.stash[stash.CASE]
    return report
