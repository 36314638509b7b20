"""Fixtures of a wider scope, or of another name: assign one in a conftest.py or a module of tests.

shop = factories.temporal(scope="module")
shop_client = factories.client("shop", scope="module")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import pytest

from . import scopes
from .outcomes import plain_errors

if TYPE_CHECKING:
    from .facade import Temporal
    from .replay.fixture import Replay
    from .schedules.fixture import Schedules
    from .spans import Spans
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
    """A fixture like `temporal`, with a namespace and workers of its own that last as long as `scope`.

    `requirements` are the keywords of `@pytest.mark.temporal`; `outages` gives it a server of its own that `outage`
    can kill or disconnect. A failed test shows what the workflows did. Everything that ran is replayed at the end of
    the scope, where non-determinism is an error of the last test.

    Raises:
        pytest.UsageError: A requirement is unknown or has a value of the wrong type.
    """
    from .requirements import requirements_from

    required = requirements_from(f"factories.temporal(scope={scope!r})", requirements)

    @pytest.fixture(scope=scope)
    def temporal_of_scope(
        request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]
    ) -> Iterator[Temporal]:
        yield from scopes.lasting(request, required, temporal_client_options, outages=outages)

    temporal_of_scope.__doc__ = f"A real Temporal server: a namespace and workers that last for the {scope}."
    return temporal_of_scope


def server(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_server`, of the fixture named `of`."""
    return _derived("The server", of, scope, lambda temporal: nullcontext(temporal.case.endpoint))


def namespace(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_namespace`, of the fixture named `of`."""
    return _derived("The namespace", of, scope, lambda temporal: nullcontext(temporal.namespace))


def client(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_client`, of the fixture named `of`."""
    return _derived("A client", of, scope, lambda temporal: nullcontext(temporal.client))


def worker(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_worker`, of the fixture named `of`; its workers last as long as that one."""
    return _derived("Starts workers", of, scope, lambda temporal: nullcontext(temporal.worker))


def env(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_env`, of the fixture named `of`."""
    return _derived("The environment", of, scope, lambda temporal: nullcontext(temporal.env))


def time(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_time`, of the fixture named `of`, which has to be made with `time_skipping=True`.

    Workflows that are started while it lasts begin with their clocks held.
    """
    return _derived("The clocks of the workflows", of, scope, scopes.clocks)


def schedules(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_schedules`, of the fixture named `of`, with which the schedules end."""
    return _derived("The schedules", of, scope, lambda temporal: nullcontext(_schedules(temporal)))


def versions(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_versions`, of the fixture named `of`; builds last as long as that one."""
    return _derived("Worker Versioning", of, scope, lambda temporal: nullcontext(_versions(temporal)))


def spans(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_spans`, of the fixture named `of`."""
    return _derived("Histories as spans", of, scope, lambda temporal: nullcontext(_spans(temporal)))


def outage(of: str, scope: Scope = "function") -> Any:
    """A fixture like `temporal_outage`, of the fixture named `of`, which has to be made with `outages=True`.

    What is still on when `scope` ends is undone then: after each test, or after the last of a wider scope.
    """
    return _derived("Outages of the server", of, scope, lambda temporal: scopes.outages(temporal, scope))


def replay(scope: Scope = "module") -> Any:
    """A fixture like `temporal_replay`; it needs no server, and so is of no other fixture."""

    @pytest.fixture(scope=scope)
    def replay_of_scope(request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]) -> Replay:
        from . import stash
        from .replay.fixture import Replay

        return Replay(request.config.rootpath, temporal_client_options, stash.session(request.config))

    replay_of_scope.__doc__ = f"Replays the histories stored in a folder; lasts for the {scope}."
    return replay_of_scope


def _versions(temporal: Temporal) -> Versions:
    from .versioning.fixture import Versions

    return Versions(temporal)


def _spans(temporal: Temporal) -> Spans:
    from .spans import Spans

    return Spans(temporal)


def _schedules(temporal: Temporal) -> Schedules:
    from .schedules.fixture import Schedules

    return Schedules(temporal.case)


def _derived(what: str, of: str, scope: Scope, part: Callable[[Temporal], AbstractContextManager[Any]]) -> Any:
    """A fixture that has `of` among its arguments, so that pytest knows what a test comes to use."""

    def part_of_scope(**arguments: Temporal) -> Iterator[Any]:
        with ExitStack() as stack:
            with plain_errors():
                value = stack.enter_context(part(arguments[of]))
            yield value

    signature = inspect.Signature([inspect.Parameter(of, inspect.Parameter.KEYWORD_ONLY)])
    part_of_scope.__signature__ = signature  # type: ignore[attr-defined] # what pytest goes by
    part_of_scope.__doc__ = f"{what} of the fixture {of}."
    return pytest.fixture(scope=scope)(part_of_scope)
