"""Calls of the gRPC service: retries, their number, and the errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from devserver.client import BUSY_SERVER, NEVER, SDK, CallRetries, ServiceCalls, both, quote, through_outage
from devserver.client import __all__ as public
from devserver.errors import CannotAsk

UNAVAILABLE, BUSY = RPCStatusCode.UNAVAILABLE, RPCStatusCode.RESOURCE_EXHAUSTED
INVALID, MISSING = RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND


class FakeClient:
    """The part of a client that calls need, without a server."""

    namespace = "default"
    service_client = type("Service", (), {"config": type("Config", (), {"target_host": "127.0.0.1:1"})})


class Method:
    """A method of the service that fails with these statuses, one per call, and then answers."""

    def __init__(self, *failures: RPCStatusCode) -> None:
        self.failures = list(failures)
        self.retries: list[bool] = []

    async def __call__(self, request: Any, *, retry: bool, timeout: object) -> str:
        """Fail or answer."""
        self.retries.append(retry)
        if self.failures:
            raise RPCError("no luck", self.failures.pop(0), b"")
        return f"answer to {request}"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays between attempts, which take no time here."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("devserver.client.calls.asyncio.sleep", sleep)
    return found


def calls(retries: CallRetries = BUSY_SERVER) -> ServiceCalls:
    """The calls of a client without a server."""
    return ServiceCalls(cast("Client", FakeClient()), retries=retries)


def call(
    method: Method, retries: CallRetries = BUSY_SERVER, *, before: Callable[[ServiceCalls], Any] | None = None
) -> str:
    """Make one call; `before` is awaited first, with the same calls."""

    async def made() -> str:
        made_by = calls(retries)
        if before is not None:
            await before(made_by)
        return await made_by.call(method, "hello")

    return asyncio.run(made())


def test_a_busy_server_is_retried(waits: list[float]) -> None:
    """Three retries with doubled delays, then an error."""
    assert call(Method(BUSY, BUSY, BUSY)) == "answer to hello"
    assert waits == [0.4, 0.8, 1.6]
    with pytest.raises(CannotAsk, match="does not answer for the namespace default: resource exhausted"):
        call(Method(BUSY, BUSY, BUSY, BUSY))


def test_a_server_that_never_answered_is_an_error_at_once(waits: list[float]) -> None:
    """A call is only retried if the server has answered before."""
    with pytest.raises(CannotAsk):
        call(Method(UNAVAILABLE))
    assert waits == []
    assert call(Method(UNAVAILABLE), before=lambda made_by: made_by.call(Method(), "")) == "answer to hello"
    assert waits == [0.4]


def test_rejected_requests_are_not_retried(waits: list[float]) -> None:
    """By default these are invalid requests and unknown things; the error is raised unchanged."""
    for status in (INVALID, MISSING):
        with pytest.raises(RPCError):
            call(Method(status))
    assert asyncio.run(calls().call_if_found(Method(MISSING), "")) is None
    with pytest.raises(CannotAsk, match="refuses the request: no luck"):
        asyncio.run(calls().call_if_found(Method(INVALID), ""))
    assert waits == []


def test_retries_during_an_outage(waits: list[float]) -> None:
    """Calls are retried for the given time, in any number of attempts."""
    assert call(Method(*[UNAVAILABLE] * 20), through_outage(60)) == "answer to hello"
    assert waits == [0.05] * 20
    with pytest.raises(CannotAsk):
        call(Method(UNAVAILABLE), through_outage(-1))


def test_the_sdk_may_retry(waits: list[float]) -> None:
    """With the SDK's own retries we do not retry; `NEVER` makes one attempt."""
    for rule, by_sdk in ((SDK, True), (NEVER, False)):
        method = Method(BUSY)
        with pytest.raises(CannotAsk):
            call(method, rule)
        assert method.retries == [by_sdk]
    assert waits == []


def test_parts_of_list_queries() -> None:
    """Quotes are escaped; an empty part matches everything."""
    assert quote("it's a \\") == "'it\\'s a \\\\'"
    assert (both("A = 1", "B = 2 OR C = 3"), both("", "B"), both("A", None)) == ("A = 1 AND (B = 2 OR C = 3)", "B", "A")


def test_public_names() -> None:
    """Every name is loaded when it is first used."""
    import devserver.client

    for name in public:
        assert getattr(devserver.client, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = devserver.client.nothing
