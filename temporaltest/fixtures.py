"""The default fixtures; `factories` makes more of each. Nothing heavy is imported until one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from . import stash
from .outcomes import plain_errors
from .requirements import OUTAGE_FIXTURE, TIME_FIXTURE, requirements_of

if TYPE_CHECKING:
    from temporalio.client import Client

    from .backends.endpoint import ServerEndpoint
    from .environment import Environment
    from .facade import Temporal
    from .isolation.context import CaseContext
    from .outage import Outage
    from .rehearsals import Rehearsals
    from .replay.fixture import Replay
    from .schedules.fixture import Schedules
    from .spans import Spans
    from .time.controls import Time
    from .versioning.fixture import Versions
    from .workers.workers import RunningWorker


@pytest.fixture(scope="session")
def temporal_server(request: pytest.FixtureRequest) -> ServerEndpoint:
    """The server that all tests share: its `address` and `ui_url`, and what it `can` do."""
    with plain_errors():
        return stash.session(request.config).endpoint()


@pytest.fixture(scope="session")
def temporal_client_options() -> dict[str, Any]:
    """Options of `temporalio.client.Client` for every test, such as a data converter. Override it in a conftest.py."""
    return {}


@pytest.fixture
def _temporal_case(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Iterator[CaseContext]:
    from .isolation.session import import_sdk

    import_sdk()
    from .isolation.context import CaseContext

    item: pytest.Item = request.node
    with plain_errors():
        outages = OUTAGE_FIXTURE in request.fixturenames
        requirements = requirements_of(item)
        if TIME_FIXTURE in request.fixturenames:
            requirements = replace(requirements, time_skipping=True)
        case = CaseContext(
            stash.session(item.config), item.name, requirements, temporal_client_options, outages=outages
        )
    item.stash[stash.CASE] = case
    try:
        yield case
    finally:
        with plain_errors():
            case.close()


@pytest.fixture
def temporal(_temporal_case: CaseContext) -> Temporal:
    """A real Temporal server for one test: `temporal.worker(...)`, `temporal.execute(...)`, `temporal.client`."""
    from .facade import Temporal

    return Temporal(_temporal_case)


@pytest.fixture
def temporal_namespace(_temporal_case: CaseContext) -> str:
    """The name of a namespace that is this test's own and is never used again."""
    return _temporal_case.namespace


@pytest.fixture
def temporal_client(_temporal_case: CaseContext) -> Client:
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
def temporal_time(_temporal_case: CaseContext) -> Time:
    """The clocks of the test's workflows, each its own and held until moved: `fast_forward`, `until`, `now`."""
    from .time.controls import Time

    with plain_errors():
        return Time(_temporal_case)


@pytest.fixture
def temporal_schedules(_temporal_case: CaseContext) -> Schedules:
    """Schedules, which go by real time: `next_times`, `trigger`, `backfill`, `runs`, and `overlap` to try a policy."""
    from .schedules.fixture import Schedules

    return Schedules(_temporal_case)


@pytest.fixture
def temporal_versions(temporal: Temporal) -> Versions:
    """Worker Versioning: `build("2.0", workflows=[Order])` starts a worker; `set_current`, `ramp`, `rollback` move it.

    `build_of` tells where a workflow is; `check_takeover` replays what is open, or stored, against a build.
    """
    from .versioning.fixture import Versions

    return Versions(temporal)


@pytest.fixture
def temporal_spans(temporal: Temporal) -> Spans:
    """A workflow's history as OpenTelemetry spans: `of(handle)` is a tree with `one(name)`, `errors` and a text."""
    from .spans import Spans

    return Spans(temporal)


@pytest.fixture
def temporal_outage(_temporal_case: CaseContext) -> Outage:
    """Outages of the server, which is the test's own then: `kill`, `restart`, `freeze`, `partition`, `slow`, ...

    Verbs do something; `killed()`, `frozen()`, `partitioned()` and `slowed(ms)` are blocks that undo it. In async tests
    the same names are under `aio`.
    """
    from .errors import SetupError

    with plain_errors():
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
    from .replay.fixture import Replay

    return Replay(request.config.rootpath, temporal_client_options, stash.session(request.config))


@pytest.fixture
def temporal_rehearsal(request: pytest.FixtureRequest) -> Rehearsals:
    """Rehearses outages: `temporal_rehearsal("scale_up.py")` holds a file's scenarios, and fails unless all pass.

    Each has a server of its own. The result holds the evidence; `must_pass=False` leaves the judgement to the test.
    """
    from .rehearsals import Rehearsals

    config = request.config.stash[stash.SETTINGS]
    return Rehearsals(config, request.path.parent, request.node.nodeid)
