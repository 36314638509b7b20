"""The default fixtures; `factories` creates more of each. Nothing heavy is imported until a fixture is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .errors import as_outcome
from .isolation import pytest_run
from .marks import OUTAGE_FIXTURE, TIME_FIXTURE

if TYPE_CHECKING:
    from temporalio.client import Client

    from .backends.endpoint import ServerEndpoint
    from .facade import Temporal
    from .isolation.context import CaseContext
    from .outage import Outage
    from .rehearsals import Rehearsals
    from .replay.fixture import Replay
    from .reports.spans import Spans
    from .schedules.fixture import Schedules
    from .time.controls import Time
    from .versioning.fixture import Versions
    from .workers.running_worker import RunningWorker
    from .workflows.environment import Environment


@pytest.fixture(scope="session")
def temporal_server(request: pytest.FixtureRequest) -> ServerEndpoint:
    """The server that all tests share: its `address`, its `ui_url`, and the features it `can` do.

    A process whose tests use this fixture stays on that server (see `temporal_namespaces_per_server`).
    """
    with as_outcome():
        return pytest_run.session_of(request.config).servers.pin()


@pytest.fixture(scope="session")
def temporal_client_options() -> dict[str, Any]:
    """Options of `temporalio.client.Client` for every test, such as a data converter. Override it in conftest.py."""
    return {}


@pytest.fixture
def _temporal_case(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Iterator[CaseContext]:
    from .isolation.session import import_sdk

    import_sdk()
    from dataclasses import replace

    from .isolation.context import CaseContext
    from .requirements import requirements_of

    item: pytest.Item = request.node
    with as_outcome():
        requirements = requirements_of(item)
        if TIME_FIXTURE in request.fixturenames:
            requirements = replace(requirements, time_skipping=True)
        outages = OUTAGE_FIXTURE in request.fixturenames
        session = pytest_run.session_of(item.config)
        case = CaseContext(session, item.name, requirements, temporal_client_options, outages=outages)
    item.stash[pytest_run.CASE] = case
    try:
        yield case
    finally:
        with as_outcome():
            case.close()


@pytest.fixture
def temporal(_temporal_case: CaseContext) -> Temporal:
    """A real Temporal server for one test: `temporal.worker(...)`, `temporal.execute(...)`, `temporal.client`."""
    from .facade import Temporal

    return Temporal(_temporal_case)


@pytest.fixture
def temporal_namespace(_temporal_case: CaseContext) -> str:
    """The name of the test's own namespace; it is never used again."""
    return _temporal_case.namespace


@pytest.fixture
def temporal_client(_temporal_case: CaseContext) -> Client:
    """A client of the test's namespace, usable from any event loop."""
    return _temporal_case.client


@pytest.fixture
def temporal_worker(temporal: Temporal) -> Callable[..., RunningWorker]:
    """Starts a worker on the test's namespace and stops it at the end of the test; see `temporal.worker`."""
    return temporal.worker


@pytest.fixture
def temporal_env(temporal: Temporal) -> Environment:
    """The test's server as an SDK `WorkflowEnvironment`, for tests that were written for one."""
    return temporal.env


@pytest.fixture
def temporal_time(_temporal_case: CaseContext) -> Time:
    """The virtual clocks of the test's workflows, each in real time until you move it: `fast_forward`, `until`."""
    from .time.controls import Time

    with as_outcome():
        return Time(_temporal_case)


@pytest.fixture
def temporal_schedules(_temporal_case: CaseContext) -> Schedules:
    """Schedules, which run in real time: `next_times`, `trigger`, `backfill`, `runs`; `overlap` tries a policy."""
    from .schedules.fixture import Schedules

    return Schedules(_temporal_case)


@pytest.fixture
def temporal_versions(temporal: Temporal) -> Versions:
    """Worker Versioning: `build("2.0", workflows=[Order])` starts a worker; `set_current`, `ramp`, `rollback` route.

    `build_of` returns the build that a workflow runs on; `check_takeover` replays open or recorded workflows against a
    build.
    """
    from .versioning.fixture import Versions

    return Versions(temporal)


@pytest.fixture
def temporal_spans(temporal: Temporal) -> Spans:
    """A workflow's history as OpenTelemetry spans: `of(handle)` is a tree with `one(name)`, `errors` and a text."""
    from .reports.spans import Spans

    return Spans(temporal)


@pytest.fixture
def temporal_outage(_temporal_case: CaseContext) -> Outage:
    """Outages of the server, which is the test's own: `kill`, `restart`, `freeze`, `partition`, `slow`, ...

    Verbs act at once; `killed()`, `frozen()`, `partitioned()` and `slowed(ms)` are `with` blocks that undo it. Async
    tests use the same names under `aio`.
    """
    from .errors import SetupError

    with as_outcome():
        if _temporal_case.outage is None:
            raise SetupError(
                "this test's server was started before temporal_outage was requested, so it has no outages: "
                "add temporal_outage to the test's arguments instead of calling getfixturevalue"
            )
    return _temporal_case.outage


@pytest.fixture
def temporal_replay(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Replay:
    """Replays recorded histories: `temporal_replay("histories", workflows=[Order])`; needs no server.

    The path, relative to pytest's rootdir, is a folder written by `--temporal-record` or a file. Without `workflows`,
    each history is replayed against the class it was recorded with.
    """
    from .replay.fixture import Replay

    return Replay(request.config.rootpath, temporal_client_options, pytest_run.session_of(request.config))


@pytest.fixture
def temporal_rehearsal(request: pytest.FixtureRequest) -> Rehearsals:
    """Rehearses outages: `temporal_rehearsal("scale_up.py")` runs the scenarios of a file and fails unless all pass.

    Each scenario has its own server. The results contain the evidence; with `must_pass=False` your test judges them.
    """
    from .rehearsals import Rehearsals

    config = request.config.stash[pytest_run.SETTINGS]
    return Rehearsals(config, request.path.parent, request.node.nodeid)
