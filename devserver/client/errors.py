"""Why a server cannot be asked, as errors of ours."""

from __future__ import annotations

import re

from ..errors import CannotAsk


def unreachable(address: str, said: str) -> CannotAsk:
    """Our error for what the SDK says when it could not connect: a chain of causes, printed as code."""
    texts = re.findall(r'(?:message|error): "([^"]+)"', said)
    return CannotAsk(
        f"the Temporal server at {address} cannot be reached",
        details=[texts[-1] if texts else said],
        hint="see that it runs, and that TLS and API key are as it wants them",
    )
