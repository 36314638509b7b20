"""The HTTP session of an OTLP exporter: what is not taken is an error, and on this machine no proxy is asked."""

from __future__ import annotations

import contextlib
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


class NotTaken(Exception):
    """Why spans did not arrive. To the exporter it is no error of the connection, which it would try again."""


class CollectorSession(requests.Session):
    """A session for one collector.

    The exporter takes a redirection for a success, tries a certificate that does not fit for ten seconds, and does not
    look at how many spans were rejected.

    Args:
        direct: Ask no proxy, whatever the environment says.
    """

    def __init__(self, *, direct: bool) -> None:
        super().__init__()
        self.trust_env = not direct

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As in the base class, but a certificate given for the collector wins over `REQUESTS_CA_BUNDLE`."""
        if verify is None and isinstance(self.verify, str):
            verify = self.verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """As in the base class.

        Raises:
            NotTaken: The other side's certificate does not fit, it sends elsewhere, or it has rejected some.
        """
        how["allow_redirects"] = False
        try:
            response = super().send(request, **how)
        except requests.exceptions.SSLError as error:
            raise NotTaken(str(error)) from None
        if 300 <= response.status_code < 400:
            raise NotTaken(f"it answers {response.status_code}: go to {response.headers.get('Location', 'elsewhere')}")
        if response.ok:
            _refuse_rejected(response.content)
        return response


def _refuse_rejected(answer: bytes) -> None:
    with contextlib.suppress(DecodeError):
        said = ExportTraceServiceResponse.FromString(answer).partial_success
        if said.rejected_spans:
            raise NotTaken(f"it has rejected {said.rejected_spans} of them: {said.error_message or 'without a reason'}")
