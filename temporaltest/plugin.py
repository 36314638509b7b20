"""The pytest plugin: hooks and default fixtures, nothing else. It imports nothing heavy until a test needs Temporal."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from . import config as settings
from . import marker

if TYPE_CHECKING:
    from temporalio.client import Client

    from .case import Case
    from .clock import Time
    from .facade import Temporal
    from .session import Session

PREFIX = "temporal"
SESSION: pytest.StashKey[Session] = pytest.StashKey()
CASE: pytest.StashKey[Case] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings once; declare the mark."""
    config.addinivalue_line("markers", marker.LINE)
    config.stash[SETTINGS] = settings.read(config)


SETTINGS: pytest.StashKey[settings.Config] = pytest.StashKey()


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is used."""
    return config.stash[SETTINGS].header()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the marks, and begin the shared server with the first test that needs it, while collection goes on."""
    wishes = marker.wishes(item)
    if item.config.option.collectonly or wishes.private or not _needs_temporal(item):
        return
    _session(item.config).begin()


def _needs_temporal(item: pytest.Item) -> bool:
    return any(name.split("_")[0] == PREFIX for name in getattr(item, "fixturenames", ()))


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """After a test has passed, replay what ran in it: what fails then fails the test."""
    result = yield
    if CASE in item.stash:
        item.stash[CASE].check()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what its workflows did."""
    report = yield
    if report.when == "call" and report.failed and CASE in item.stash:
        case = item.stash[CASE]
        try:
            text = case.report()
        except Exception as error:  # noqa: BLE001 - the test's own failure is what matters
            text = f"(the server does not tell what happened: {error!r})"
        report.sections.append(("Temporal", text))
        report.user_properties.append(("temporal_namespace", case.namespace))
    return report


@pytest.fixture(scope="session")
def temporal_client_options() -> dict[str, Any]:
    """Options of `temporalio.client.Client` for every test, such as a data converter. Override it in a conftest.py."""
    return {}


@pytest.fixture
def _temporal_case(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Iterator[Case]:
    from .case import Case
    from .errors import NotSupported

    item: pytest.Item = request.node
    try:
        case = Case(_session(item.config), item.name, marker.wishes(item), temporal_client_options)
    except NotSupported as error:
        pytest.skip(str(error))
    item.stash[CASE] = case
    try:
        yield case
    finally:
        del item.stash[CASE]
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
def temporal_time(_temporal_case: Case) -> Time:
    """The clocks of the test's workflows, each its own: `fast_forward`, `until`, `now`; needs `time_skipping=True`."""
    from .clock import Time

    return Time(_temporal_case)
