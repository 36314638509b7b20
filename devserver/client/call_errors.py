"""Errors of ours for connections that fail, and for calls that the server did not answer or refused.

Importing this module does not import `temporalio`: `target` needs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import CannotAsk, OptionError

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import RPCError

SERVER_HINT = "check that the server is running and that TLS and API key match its settings"
# What the SDK's message about a failed connection shows, in its words, and what to do about it.
_CONNECTION_CAUSES = (
    (r"Connection refused", "Connection refused", "check the address, and that the server is running"),
    (
        r"InvalidMessage\(InvalidContentType\)",
        "it answers without TLS",
        "connect without TLS (an API key turns TLS on), or check the port",
    ),
    (
        r"InvalidCertificate\(UnknownIssuer\)",
        "this client does not trust the issuer of its certificate",
        "give the CA certificate of the server",
    ),
    (
        r"NotValidForName\w*(?:[^\"]*\"(?P<name>[^\"]+)\")?",
        "its certificate is not for the name {name}",
        "give the name in the certificate as the TLS server name",
    ),
    (
        r"Http2, Error \{|h2 protocol error",
        "it does not answer as a gRPC server",
        "check the port: the Web UI, the HTTP API and the metrics have ports of their own",
    ),
    (
        r"transport error|operation was canceled|connection closed",
        "it closes the connection",
        "check the port, and whether the server requires TLS or a client certificate",
    ),
)


def unreachable(address: str, reason: str) -> CannotAsk:
    """Our error for a server that the SDK cannot connect to.

    Args:
        reason: The SDK's message: a chain of causes, printed as code.
    """
    for pattern, text, hint in _CONNECTION_CAUSES:
        found = re.search(pattern, reason)
        if found:
            text = text.format(name=found.groupdict().get("name"))
            return CannotAsk(f"cannot connect to {address}: {text}", hint=hint)
    texts = re.findall(r'(?:message|error): "([^"]+)"', reason)
    return CannotAsk(f"cannot connect to {address}: {texts[-1] if texts else reason}", hint=SERVER_HINT)


def call_failed(client: Client, error: RPCError) -> CannotAsk:
    """Our error for a call that brought no usable answer: no connection, no permission, an invalid request."""
    from temporalio.service import RPCStatusCode

    address = client.service_client.config.target_host
    if namespace_missing(error):
        return CannotAsk(f"there is no namespace {client.namespace} at {address}", hint="choose another namespace")
    if error.status == RPCStatusCode.INVALID_ARGUMENT:
        return CannotAsk(f"the Temporal server at {address} refuses the request: {error.message}")
    status = error.status.name.lower().replace("_", " ")
    if error.status == RPCStatusCode.UNKNOWN:  # the SDK's status for a connection that broke
        status = next(iter(error.message.splitlines()), status)
    return CannotAsk(
        f"the Temporal server at {address} does not answer for the namespace {client.namespace}: {status}",
        details=error.message.splitlines()[:3],
        hint=SERVER_HINT,
    )


def namespace_missing(error: RPCError) -> bool:
    """Whether the server says that the namespace does not exist; other things that are missing have that status too."""
    from temporalio.service import RPCStatusCode

    if error.status != RPCStatusCode.NOT_FOUND:
        return False
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)


def query_refused(query: str, error: RPCError) -> OptionError:
    """Our error for a list filter that the server does not understand."""
    return OptionError(
        f"the server does not understand the query: {query}",
        details=error.message.splitlines()[:3],
        hint="write a list filter such as WorkflowType = 'Order': https://docs.temporal.io/list-filter",
    )
