"""Status codes of gRPC calls, and the SDK's error for them, without what the SDK imports for a client.

`temporalio.service` has an enum of these numbers; importing it loads every service that the SDK knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from temporalio.service import RPCError

CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
UNIMPLEMENTED = 12
UNAVAILABLE = 14


def rpc_error() -> type[RPCError]:
    """The SDK's error for a call that failed, to be caught: `except rpc_error()` imports it when something failed."""
    from temporalio.service import RPCError

    return RPCError
