"""The HTTP session of an OTLP exporter: reports rejected spans, and uses no proxy for a collector on this machine."""

from __future__ import annotations

import contextlib
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


class SpansRejected(Exception):
    """Why a collector rejected spans. Not an error of the connection: the exporter would retry those."""


class CollectorSession(requests.Session):
    """A session for one collector.

    On its own the exporter treats a redirect as success, retries for ten seconds if a certificate does not match, and
    ignores rejected spans.

    Args:
        direct: Use no proxy, whatever the environment says.
    """

    def __init__(self, *, direct: bool) -> None:
        super().__init__()
        self.trust_env = not direct

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As in the base class, but the collector's own certificate setting wins over `REQUESTS_CA_BUNDLE`."""
        if verify is None and isinstance(self.verify, str):
            verify = self.verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """As in the base class.

        Raises:
            SpansRejected: The certificate does not match, the collector redirects, or it rejected some spans.
        """
        how["allow_redirects"] = False
        try:
            response = super().send(request, **how)
        except requests.exceptions.SSLError as error:
            raise SpansRejected(str(error)) from None
        if 300 <= response.status_code < 400:
            raise SpansRejected(
                f"it redirects ({response.status_code}) to {response.headers.get('Location', 'another address')}"
            )
        if response.ok:
            _refuse_rejected(response.content)
        return response


def _refuse_rejected(answer: bytes) -> None:
    with contextlib.suppress(DecodeError):
        result = ExportTraceServiceResponse.FromString(answer).partial_success
        if result.rejected_spans:
            raise SpansRejected(
                f"it rejected {result.rejected_spans} of them: {result.error_message or 'no reason given'}"
            )
