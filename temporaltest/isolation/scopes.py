"""Fixtures of a wider scope: the context that the tests of a scope share, its clocks and outages, its recordings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import as_outcome
from . import pytest_run

if TYPE_CHECKING:
    from ..facade import Temporal
    from ..outage import Outage
    from ..requirements import Requirements
    from ..time.controls import Time
    from .context import CaseContext

RECORDED: pytest.StashKey[list[tuple[str, str]]] = pytest.StashKey()


def cases(item: pytest.Item) -> list[CaseContext]:
    """The contexts of `factories.temporal` fixtures that the test uses, directly or through other fixtures."""
    facade = sys.modules.get("temporaltest.facade")
    if facade is None:
        return []
    values = (getattr(item, "funcargs", None) or {}).values()
    found = dict.fromkeys(value.case for value in values if isinstance(value, facade.Temporal))
    return [case for case in found if case is not item.stash.get(pytest_run.CASE, None)]


def adopted(config: pytest.Config) -> list[CaseContext]:
    """The contexts of adopted environments that the current test has used."""
    return config.stash.get(pytest_run.ADOPTED, list)()


def take_recorded(config: pytest.Config) -> list[tuple[str, str]]:
    """The recordings of scopes that have ended since the last call, as (file name, text)."""
    if RECORDED not in config.stash:
        return []
    recorded = config.stash[RECORDED]
    del config.stash[RECORDED]
    return recorded


def temporal_of_scope(
    request: pytest.FixtureRequest, requirements: Requirements, client_options: Mapping[str, Any], *, outages: bool
) -> Iterator[Temporal]:
    """A `Temporal` for a scope. At its end, what ran is replayed, and recorded if no test that used it failed."""
    from .session import import_sdk

    import_sdk()
    from ..facade import Temporal
    from .context import CaseContext

    with as_outcome():
        name = request.node.name or request.scope
        session = pytest_run.session_of(request.config)
        case = CaseContext(session, name, requirements, client_options, outages=outages)
    try:
        yield Temporal(case)
        with as_outcome():
            case.check()
            case.checks.record(_owner(request), request.config.rootpath, request.scope)
        request.config.stash[RECORDED] = [*request.config.stash.get(RECORDED, []), *case.checks.recorded]
    finally:
        with as_outcome():
            case.close()


def _owner(request: pytest.FixtureRequest) -> str:
    """The id of the scope's fixture, unique in the run: `test_shop.py::shop`.

    A session's or package's is named by where it is defined, since another file may define the same name; one that is
    defined in the root is `shop`.
    """
    from ..reports.files import test_id

    node = test_id(request.node.nodeid)
    defined = str(request._fixturedef.baseid)  # type: ignore[attr-defined] # pytest has no public name for it
    where = defined if len(defined) > len(node) else node
    return f"{where}::{request.fixturename}" if where else str(request.fixturename)


@contextlib.contextmanager
def clocks(temporal: Temporal) -> Iterator[Time]:
    """The clocks of a scope's workflows."""
    from ..errors import SetupError
    from ..time.controls import Time

    clocks = temporal.case.clocks
    if clocks is None:
        raise SetupError(
            "the clocks of a fixture's workflows need time skipping: use factories.temporal(..., time_skipping=True), "
            "or @pytest.mark.temporal(time_skipping=True) for the fixture temporal"
        )
    yield Time(temporal.case)


@contextlib.contextmanager
def outages(temporal: Temporal, scope: str) -> Iterator[Outage]:
    """The outages of a scope's server; those that are active at the end of the block are undone."""
    from ..errors import SetupError

    allocation = temporal.case.allocation
    if allocation.outage is None:
        raise SetupError(
            "the server of this fixture has no outages: use factories.temporal(..., outages=True), which starts a "
            "server that has; for the fixture temporal use temporal_outage"
        )
    with allocation.outages_last(wider=scope != "function"):
        yield allocation.outage
