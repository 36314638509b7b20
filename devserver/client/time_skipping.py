"""Time skipping as the installed SDK has it: whether it knows it, and clients whose workflows start with clocks."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.service import __version__

from ..errors import TimeSkippingUnavailable

try:
    from temporalio.api.common.v1 import FastForwardConfig  # noqa: F401 - whether it is there
    from temporalio.testing import TimeSkipper, TimeSkippingConfig
except ImportError:
    SDK_SKIPS = False
else:
    SDK_SKIPS = True


def manual_client(client: Client) -> Client:
    """A client whose workflows start with manual clocks.

    Raises:
        TimeSkippingUnavailable: The installed SDK is too old.
    """
    require_sdk()
    return TimeSkipper(client, config=TimeSkippingConfig(enabled=False)).client


def require_sdk() -> None:
    """Check that the installed SDK knows time skipping.

    Raises:
        TimeSkippingUnavailable: It does not.
    """
    if not SDK_SKIPS:
        raise TimeSkippingUnavailable(
            f"temporalio {__version__} has no time skipping on the real server",
            hint="install temporalio 1.35 or later",
        )
