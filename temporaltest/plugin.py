"""The pytest plugin: hooks and default fixtures, nothing else. It imports nothing heavy until a test needs Temporal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from . import config as settings
from . import marker, selection, xdist

if TYPE_CHECKING:
    from temporalio.client import Client

    from .backends import Endpoint
    from .case import Case
    from .clock import Time
    from .environment import Environment
    from .facade import Temporal
    from .histories import Replay
    from .outage import Outage
    from .schedules import Schedules
    from .session import Session
    from .workers import RunningWorker

OUTAGE = "temporal_outage"
NEEDING = frozenset({"_temporal_case", "temporal_server"})
SESSION: pytest.StashKey[Session] = pytest.StashKey()
CASE: pytest.StashKey[Case] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings once; declare the mark; record and replay stored histories if asked."""
    config.addinivalue_line("markers", marker.LINE)
    config.stash[SETTINGS] = read = settings.read(config)
    if read.record is not None and not hasattr(config, "workerinput") and selection.runs(config):
        from .recorder import Recorder

        config.pluginmanager.register(Recorder(config, read.record), "temporal-recorder")
    if read.replay_from is not None:
        from . import stored

        stored.choose(config, read.replay_from, by_flag=config.getoption("temporal_replay_from") is not None)
        config.pluginmanager.register(stored.Stored(read.replay_from), "temporal-stored")


SETTINGS: pytest.StashKey[settings.Config] = pytest.StashKey()


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is used."""
    return config.stash[SETTINGS].header()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the marks, and begin the shared server with the first test that needs it, while collection goes on."""
    with xdist.usage_errors(item.config):
        needed = _needs_shared(item)
    if needed and selection.runs_all(item.config):
        _session(item.config).begin()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where only some of the tests run, begin the shared server if one of those needs it."""
    if selection.runs(session.config) and any(map(_needs_shared, session.items)):
        _session(session.config).begin()


def _needs_shared(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    private = marker.wishes(item).private or OUTAGE in names
    return not private and not NEEDING.isdisjoint(names)


def _session(config: pytest.Config) -> Session:
    from .session import Session

    if SESSION not in config.stash:
        config.stash[SESSION] = Session(config.stash[SETTINGS])
    return config.stash[SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the shared server up."""
    if SESSION in config.stash:
        config.stash[SESSION].close()
        del config.stash[SESSION]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the settings to each of xdist's workers."""
    node.workerinput[xdist.SETTINGS] = node.config.stash[SETTINGS].to_wire()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End the run where one of xdist's workers found that it cannot be as it is."""
    xdist.raise_usage_error(node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the server is that is left up."""
    if config.stash[SETTINGS].keep and selection.runs(config):
        from .backends import make

        kept = make(config.stash[SETTINGS]).kept()
        if kept is not None:
            terminalreporter.section("Temporal")
            terminalreporter.write_line(f"the server is kept at {kept}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """After a test has passed, replay what ran in it: what fails then fails the test."""
    result = yield
    if CASE in item.stash:
        from . import names
        from .errors import TemporalTestError

        try:
            item.stash[CASE].check()
            item.stash[CASE].aftermath.record(names.test_id(item.nodeid), item.config.rootpath)
        except TemporalTestError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
    for case in _wider_cases(item):
        case.check_workers()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what its workflows did, and of its traceback the user's lines."""
    case = item.stash.get(CASE, None)
    wider = _wider_cases(item)
    from .errors import TemporalTestError

    ours = call.excinfo is not None and isinstance(call.excinfo.value, TemporalTestError)
    if case is None and not wider and not ours:
        return (yield)
    from . import recorder, reporting, tracebacks

    if call.excinfo is not None and not item.config.option.fulltrace:
        tracebacks.shorten(call.excinfo)
    report = yield
    if call.excinfo is not None:
        tracebacks.headline(report, call.excinfo.value)
    for each in [case, *wider] if report.failed else ():
        if each is not None:
            reporting.attach(item, each, report)
    if case is not None:
        recorder.hand_over(report, case)
        if report.when == "teardown":
            del item.stash[CASE]
    return report


def _wider_cases(item: pytest.Item) -> list[Case]:
    """The cases of fixtures by `factories.temporal` that the test uses, itself or through other fixtures."""
    facade = sys.modules.get("temporaltest.facade")
    if facade is None:
        return []
    values = (getattr(item, "funcargs", None) or {}).values()
    cases = dict.fromkeys(value.case for value in values if isinstance(value, facade.Temporal))
    return [case for case in cases if case is not item.stash.get(CASE, None)]


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """What keeps a test from having a server is told in its own words, without the inside of this plugin."""
    from devserver import DevServerError

    from .errors import NotSupported, TemporalTestError

    try:
        yield
    except NotSupported as error:
        raise pytest.skip.Exception(str(error)) from None
    except (DevServerError, TemporalTestError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def temporal_server(request: pytest.FixtureRequest) -> Endpoint:
    """The server that all tests share: its `address` and `ui_url`, and what it `can` do."""
    with _plain_errors():
        return _session(request.config).endpoint()


@pytest.fixture(scope="session")
def temporal_client_options() -> dict[str, Any]:
    """Options of `temporalio.client.Client` for every test, such as a data converter. Override it in a conftest.py."""
    return {}


@pytest.fixture
def _temporal_case(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Iterator[Case]:
    from .session import import_sdk

    import_sdk()
    from .case import Case

    item: pytest.Item = request.node
    with _plain_errors():
        outages = OUTAGE in request.fixturenames
        case = Case(_session(item.config), item.name, marker.wishes(item), temporal_client_options, outages=outages)
    item.stash[CASE] = case
    try:
        yield case
    finally:
        case.close()


@pytest.fixture
def temporal(_temporal_case: Case) -> Temporal:
    """A real Temporal server for one test: `temporal.worker(...)`, `temporal.execute(...)`, `temporal.client`."""
    from .facade import Temporal

    return Temporal(_temporal_case)


@pytest.fixture
def temporal_namespace(_temporal_case: Case) -> str:
    """The name of a namespace that is this test's own and is never used again."""
    return _temporal_case.namespace


@pytest.fixture
def temporal_client(_temporal_case: Case) -> Client:
    """A client of the test's namespace, usable from any event loop."""
    return _temporal_case.client


@pytest.fixture
def temporal_worker(temporal: Temporal) -> Callable[..., RunningWorker]:
    """Starts a worker on the test's namespace and stops it, within a limit, at the end: see `temporal.worker`."""
    return temporal.worker


@pytest.fixture
def temporal_env(temporal: Temporal) -> Environment:
    """The test's server in the shape of the SDK's `WorkflowEnvironment`, for tests written for that."""
    return temporal.env


@pytest.fixture
def temporal_time(_temporal_case: Case) -> Time:
    """The clocks of the test's workflows, each its own: `fast_forward`, `until`, `now`; needs `time_skipping=True`."""
    from .clock import Time

    with _plain_errors():
        return Time(_temporal_case)


@pytest.fixture
def temporal_schedules(_temporal_case: Case) -> Schedules:
    """Schedules, which go by real time: `next_times`, `trigger`, `backfill`, `runs`, and `overlap` to try a policy."""
    from .schedules import Schedules

    return Schedules(_temporal_case)


@pytest.fixture
def temporal_outage(_temporal_case: Case) -> Outage:
    """Outages of the server, which is the test's own then: `kill`, `restart`, `freeze`, `partition`, `slow`, ...

    Verbs do something; `killed()`, `frozen()`, `partitioned()` and `slowed(ms)` are blocks that undo it. In async tests
    the same names are under `aio`.
    """
    from .errors import SetupError

    with _plain_errors():
        if _temporal_case.outage is None:
            raise SetupError(
                "this test's server was there before temporal_outage was asked for, and has no outages: "
                "name temporal_outage among the test's arguments instead of calling getfixturevalue"
            )
    return _temporal_case.outage


@pytest.fixture
def temporal_replay(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Replay:
    """Replays the histories stored in a folder: `temporal_replay("histories", workflows=[Order])`; needs no server.

    The folder is one that `--temporal-record` wrote (from the rootdir of pytest), or a file; without `workflows`, each
    history is replayed against the class that it was recorded with.
    """
    from .histories import Replay

    return Replay(request.config.rootpath, temporal_client_options, _session(request.config))
