"""The pytest plugin: its hooks, and nothing else. It imports nothing heavy until a test needs Temporal."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from . import config as configuration
from . import rehearsal_files
from .isolation import pytest_run, scopes
from .marks import CASE_FIXTURE, MARK_LINES, OUTAGE_FIXTURE, is_marked

# Not imported above: pytest warns about a plugin that was imported before it could rewrite its asserts.
pytest_plugins = ("temporaltest.fixtures",)

SERVER_FIXTURES = frozenset({CASE_FIXTURE, "temporal_server"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    configuration.add_options(parser)
    rehearsal_files.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the configuration once, declare the marks, and register recording and replay where asked for."""
    for line in MARK_LINES:
        config.addinivalue_line("markers", line)
    config.stash[pytest_run.SETTINGS] = settings = configuration.read(config)
    is_controller = not hasattr(config, "workerinput")
    if settings.record is not None and is_controller and pytest_run.executes_tests(config):
        from .replay.writer import RecordingWriter

        config.pluginmanager.register(RecordingWriter(config, settings.record), "temporal-recorder")
    if settings.adopt != "off" and pytest_run.executes_tests(config):
        from . import adoption

        adoption.register(config)
    if settings.replay_from is not None:
        from .replay import items

        by_flag = config.getoption("temporal_replay_from") is not None
        items.add_to_collection(config, settings.replay_from, by_flag=by_flag)
        config.pluginmanager.register(items.HistoryCollector(settings.replay_from), "temporal-stored")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect rehearsals from files whose names match."""
    return rehearsal_files.collect(file_path, parent)


def pytest_report_header(config: pytest.Config) -> str:
    """Show the server and the settings that differ from the defaults."""
    return config.stash[pytest_run.SETTINGS].header()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the marks. Start the shared server with the first test that needs it, while collection continues."""
    if is_marked(item):
        from .requirements import requirements_of

        with pytest_run.usage_errors_reach_controller(item.config):
            requirements_of(item)
    if _needs_shared_server(item) and pytest_run.executes_all(item.config) and not pytest_run.forks(item.config):
        pytest_run.session_of(item.config).begin()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where only some of the tests run, start the shared server if one of those needs it."""
    config = session.config
    if not pytest_run.executes_tests(config) or pytest_run.forks(config):
        return
    if any(map(_needs_shared_server, session.items)):
        pytest_run.session_of(config).begin()


def _needs_shared_server(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    if SERVER_FIXTURES.isdisjoint(names) or OUTAGE_FIXTURE in names:
        return False
    from .requirements import requirements_of

    return not requirements_of(item).private


def pytest_unconfigure(config: pytest.Config) -> None:
    """Release the shared server."""
    pytest_run.close_session(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the configuration to each xdist worker."""
    node.workerinput[configuration.WORKER_INPUT] = node.config.stash[pytest_run.SETTINGS].to_wire()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End the run where an xdist worker found a usage error."""
    pytest_run.raise_usage_error(node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the summary, and show the address of the server that is kept running."""
    summary_file = config.stash[pytest_run.SETTINGS].summary
    if summary_file is not None and pytest_run.executes_tests(config):
        from .reports import summary

        try:
            summary.of_run(terminalreporter.stats).append_to(summary_file)
        except OSError as error:
            terminalreporter.write_line(f"the summary {summary_file} cannot be written: {error.strerror}", red=True)
    if config.stash[pytest_run.SETTINGS].keep and pytest_run.executes_tests(config):
        from .backends import make

        kept = make(config.stash[pytest_run.SETTINGS]).kept()
        if kept is not None:
            terminalreporter.section("Temporal")
            terminalreporter.write_line(f"the server is still running at {kept}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """After a test has passed, check and replay what ran in it; a failed check fails the test."""
    result = yield
    if pytest_run.CASE in item.stash:
        from .errors import TemporalTestError
        from .reports import files

        case = item.stash[pytest_run.CASE]
        try:
            case.check()
            case.checks.record(files.test_id(item.nodeid), item.config.rootpath)
        except TemporalTestError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
    for case in scopes.cases(item):
        case.check_workers()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed test what its workflows did, and shorten its traceback to the user's lines."""
    case = item.stash.get(pytest_run.CASE, None)
    wider_cases = scopes.cases(item) + (scopes.adopted(item.config) if call.excinfo is not None else [])
    recorded = scopes.take_recorded(item.config) if call.when == "teardown" else []
    if case is None and not wider_cases and not recorded and call.excinfo is None:
        return (yield)
    from .errors import TemporalTestError

    is_ours = call.excinfo is not None and isinstance(call.excinfo.value, TemporalTestError)
    if case is None and not wider_cases and not recorded and not is_ours:
        return (yield)
    from .replay import writer
    from .reports import attach, tracebacks

    if call.excinfo is not None and not item.config.option.fulltrace:
        tracebacks.shorten(call.excinfo)
    report = yield
    if call.excinfo is not None:
        tracebacks.set_headline(report, call.excinfo.value)
    if report.failed:
        for failed_case in [case, *wider_cases] if case is not None else wider_cases:
            failed_case.checks.failed = True
            attach.attach(item, failed_case, report)
    if case is not None and report.when == "call" and report.passed:
        recorded = case.checks.recorded
    writer.add_to_report(report, recorded)
    if case is not None and report.when == "teardown":
        del item.stash[pytest_run.CASE]
    return report
