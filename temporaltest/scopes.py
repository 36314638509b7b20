"""Fixtures of a wider scope: the case that the tests of a scope share, what is its own, and what they leave."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from . import names, stash
from .outcomes import plain_errors

if TYPE_CHECKING:
    from .facade import Temporal
    from .isolation.context import CaseContext
    from .outage import Outage
    from .requirements import Requirements
    from .time.controls import Time

RECORDED: pytest.StashKey[list[tuple[str, str]]] = pytest.StashKey()


def cases(item: pytest.Item) -> list[CaseContext]:
    """The cases of fixtures by `factories.temporal` that the test uses, itself or through other fixtures."""
    facade = sys.modules.get("temporaltest.facade")
    if facade is None:
        return []
    values = (getattr(item, "funcargs", None) or {}).values()
    found = dict.fromkeys(value.case for value in values if isinstance(value, facade.Temporal))
    return [case for case in found if case is not item.stash.get(stash.CASE, None)]


def left_by(config: pytest.Config) -> list[tuple[str, str]]:
    """The recordings of scopes that have ended since this was last asked."""
    left = config.stash.get(RECORDED, [])
    config.stash[RECORDED] = []
    return left


def lasting(
    request: pytest.FixtureRequest, requirements: Requirements, client_options: Mapping[str, Any], *, outages: bool
) -> Iterator[Temporal]:
    """A façade for a scope; what ran is replayed at its end and recorded if no test that used it failed."""
    from .isolation.session import import_sdk

    import_sdk()
    from .facade import Temporal
    from .isolation.context import CaseContext

    with plain_errors():
        name = request.node.name or request.scope
        case = CaseContext(stash.session(request.config), name, requirements, client_options, outages=outages)
    try:
        yield Temporal(case)
        with plain_errors():
            case.check()
            case.checks.record(_owner(request), request.config.rootpath, request.scope)
        request.config.stash[RECORDED] = [*request.config.stash.get(RECORDED, []), *case.checks.recorded]
    finally:
        with plain_errors():
            case.close()


def _owner(request: pytest.FixtureRequest) -> str:
    """The name of a scope's fixture among all of a run: `test_shop.py::shop`.

    A session's or package's is named by where it is defined, since others there may be called the same; from the root
    it is `shop`.
    """
    node = names.test_id(request.node.nodeid)
    defined = str(request._fixturedef.baseid)  # type: ignore[attr-defined] # pytest tells it nowhere else
    where = defined if len(defined) > len(node) else node
    return f"{where}::{request.fixturename}" if where else str(request.fixturename)


@contextlib.contextmanager
def clocks(temporal: Temporal) -> Iterator[Time]:
    """The clocks of a scope's workflows; held in this block, and as before after it."""
    from .errors import SetupError
    from .time.controls import Time

    skipping = temporal.case.clocks
    if skipping is None:
        raise SetupError(
            "clocks of a fixture's workflows need time skipping: factories.temporal(..., time_skipping=True), "
            "or @pytest.mark.temporal(time_skipping=True) for the fixture temporal"
        )
    held, config = skipping.held, skipping.skipper.config
    try:
        yield Time(temporal.case)
    finally:
        skipping.held, skipping.skipper.config = held, config


@contextlib.contextmanager
def outages(temporal: Temporal, scope: str) -> Iterator[Outage]:
    """The outages of a scope's server; what is on at the end of the block is undone."""
    from .errors import SetupError

    place = temporal.case.allocation
    if place.outage is None:
        raise SetupError(
            "this fixture's server has no outages: factories.temporal(..., outages=True) gives it one of its own that "
            "has; for the fixture temporal there is temporal_outage"
        )
    with place.outages_last(wider=scope != "function"):
        yield place.outage
