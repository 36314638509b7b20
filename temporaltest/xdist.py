"""What passes between a controller of xdist and its workers: settings one way, errors of the user's the other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

SETTINGS = "temporal"
USAGE_ERROR = "temporal_usage_error"


@contextlib.contextmanager
def usage_errors(config: pytest.Config) -> Iterator[None]:
    """A worker's UsageError reaches the controller too; xdist drops it."""
    import pytest

    try:
        yield
    except pytest.UsageError as error:
        if hasattr(config, "workeroutput"):
            config.workeroutput[USAGE_ERROR] = str(error)
        raise


def raise_usage_error(node: Any) -> None:
    """In the controller: what a worker that has ended said so.

    Raises:
        pytest.UsageError: The worker's.
    """
    import pytest

    told = getattr(node, "workeroutput", {}).get(USAGE_ERROR)
    if told is not None:
        raise pytest.UsageError(told)
