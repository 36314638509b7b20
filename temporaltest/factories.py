"""Fixtures of a wider scope or another name: assign one in conftest.py or in a test module.

shop = factories.temporal(scope="module")
shop_client = factories.client("shop", scope="module")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import pytest

from .errors import as_outcome
from .isolation import pytest_run, scopes

if TYPE_CHECKING:
    from .facade import Temporal
    from .replay.fixture import Replay
    from .reports.spans import Spans
    from .schedules.fixture import Schedules
    from .versioning.fixture import Versions

Scope = Literal["session", "package", "module", "class", "function"]

__all__ = [
    "client",
    "env",
    "namespace",
    "outage",
    "replay",
    "schedules",
    "server",
    "spans",
    "temporal",
    "time",
    "versions",
    "worker",
]


def temporal(scope: Scope = "module", *, outages: bool = False, **requirements: Any) -> Any:
    """A fixture like `temporal` whose namespace and workers last for `scope`.

    `requirements` are the keywords of `@pytest.mark.temporal`; `outages` gives it its own server, which `outage` can
    kill or disconnect. A failed test shows what the workflows did. Everything that ran is replayed at the end of the
    scope, where non-determinism is an error of the last test.

    Raises:
        pytest.UsageError: A requirement is unknown or has a value of the wrong type.
    """
    from .requirements import requirements_from

    required = requirements_from(f"factories.temporal(scope={scope!r})", requirements)

    @pytest.fixture(scope=scope)
    def temporal_of_scope(
        request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]
    ) -> Iterator[Temporal]:
        yield from scopes.temporal_of_scope(request, required, temporal_client_options, outages=outages)

    temporal_of_scope.__doc__ = f"A real Temporal server: a namespace and workers that last for the {scope}."
    return temporal_of_scope


def server(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_server`, for the fixture named `of`."""
    return _derived("The server", of, scope, lambda temporal: nullcontext(temporal.case.endpoint))


def namespace(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_namespace`, for the fixture named `of`."""
    return _derived("The namespace", of, scope, lambda temporal: nullcontext(temporal.namespace))


def client(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_client`, for the fixture named `of`."""
    return _derived("A client", of, scope, lambda temporal: nullcontext(temporal.client))


def worker(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_worker`, for the fixture named `of`; its workers last as long as that fixture."""
    return _derived("Starts workers", of, scope, lambda temporal: nullcontext(temporal.worker))


def env(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_env`, for the fixture named `of`."""
    return _derived("The environment", of, scope, lambda temporal: nullcontext(temporal.env))


def time(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_time`, for the fixture named `of`, which must have `time_skipping=True`.

    Workflows that start while it lasts have clocks that only the test moves.
    """
    return _derived("The clocks of the workflows", of, scope, scopes.clocks)


def schedules(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_schedules`, for the fixture named `of`; schedules end with that fixture."""
    return _derived("The schedules", of, scope, lambda temporal: nullcontext(_schedules(temporal)))


def versions(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_versions`, for the fixture named `of`; builds last as long as that fixture."""
    return _derived("Worker Versioning", of, scope, lambda temporal: nullcontext(_versions(temporal)))


def spans(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_spans`, for the fixture named `of`."""
    return _derived("Histories as spans", of, scope, lambda temporal: nullcontext(_spans(temporal)))


def outage(of: str, scope: Scope = "function") -> Any:
    """A fixture like `temporal_outage`, for the fixture named `of`, which must have `outages=True`.

    Outages that are still active at the end of `scope` are undone then: after each test, or after the last one.
    """
    return _derived("Outages of the server", of, scope, lambda temporal: scopes.outages(temporal, scope))


def replay(scope: Scope = "module") -> Any:
    """A fixture like `temporal_replay`. It needs no server, so it depends on no other fixture."""

    @pytest.fixture(scope=scope)
    def replay_of_scope(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Replay:
        from .replay.fixture import Replay

        return Replay(request.config.rootpath, temporal_client_options, pytest_run.session_of(request.config))

    replay_of_scope.__doc__ = f"Replays the histories of a folder; lasts for the {scope}."
    return replay_of_scope


def _versions(temporal: Temporal) -> Versions:
    from .versioning.fixture import Versions

    return Versions(temporal)


def _spans(temporal: Temporal) -> Spans:
    from .reports.spans import Spans

    return Spans(temporal)


def _schedules(temporal: Temporal) -> Schedules:
    from .schedules.fixture import Schedules

    return Schedules(temporal.case)


def _derived(description: str, of: str, scope: Scope, part: Callable[[Temporal], AbstractContextManager[Any]]) -> Any:
    """A fixture with `of` among its arguments, so that pytest knows the dependency."""

    def part_of_scope(**arguments: Temporal) -> Iterator[Any]:
        with ExitStack() as stack:
            with as_outcome():
                value = stack.enter_context(part(arguments[of]))
            yield value

    signature = inspect.Signature([inspect.Parameter(of, inspect.Parameter.KEYWORD_ONLY)])
    part_of_scope.__signature__ = signature  # type: ignore[attr-defined] # pytest reads the arguments from it
    part_of_scope.__doc__ = f"{description} of the fixture {of}."
    return pytest.fixture(scope=scope)(part_of_scope)
