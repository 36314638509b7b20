"""Fixtures of a wider scope, or of another name: assign one in a conftest.py or a module of tests.

shop = factories.temporal(scope="module")
shop_client = factories.client("shop", scope="module")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from .facade import Temporal

Scope = Literal["session", "package", "module", "class", "function"]

__all__ = ["client", "env", "namespace", "temporal", "worker"]


def temporal(scope: Scope = "module", **wishes: Any) -> Any:
    """A fixture like `temporal`, with a namespace and workers of its own that last as long as `scope`.

    `wishes` are the words of `@pytest.mark.temporal`. A test that fails shows what workflows did; what ran is replayed
    at the end of the scope, where non-determinism is an error of the last test.

    Raises:
        pytest.UsageError: A wish has an unknown word or a value of the wrong type.
    """
    from . import marker

    wanted = marker.of_words(f"factories.temporal(scope={scope!r})", wishes)

    @pytest.fixture(scope=scope)
    def temporal_of_scope(
        request: pytest.FixtureRequest, temporal_client_options: dict[str, Any]
    ) -> Iterator[Temporal]:
        from . import plugin
        from .case import Case
        from .facade import Temporal

        with plugin._plain_errors():
            name = request.node.name or scope
            case = Case(plugin._session(request.config), name, wanted, temporal_client_options)
        try:
            yield Temporal(case)
            with plugin._plain_errors():
                case.check()
        finally:
            case.close()

    temporal_of_scope.__doc__ = f"A real Temporal server: a namespace and workers that last for the {scope}."
    return temporal_of_scope


def namespace(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_namespace`, of the fixture named `of`."""
    return _derived(of, scope, lambda temporal: temporal.namespace)


def client(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_client`, of the fixture named `of`."""
    return _derived(of, scope, lambda temporal: temporal.client)


def worker(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_worker`, of the fixture named `of`; its workers last as long as that one."""
    return _derived(of, scope, lambda temporal: temporal.worker)


def env(of: str = "temporal", scope: Scope = "function") -> Any:
    """A fixture like `temporal_env`, of the fixture named `of`."""
    return _derived(of, scope, lambda temporal: temporal.env)


def _derived(of: str, scope: Scope, part: Callable[[Temporal], Any]) -> Any:
    @pytest.fixture(scope=scope)
    def temporal_part(request: pytest.FixtureRequest) -> Any:
        return part(request.getfixturevalue(of))

    temporal_part.__doc__ = f"A part of the fixture {of}."
    return temporal_part
