"""What keeps a test from going on, as pytest's own outcomes: skipped, or failed in plain words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """What keeps a test from having a server is told in its own words, without the inside of this plugin."""
    from devserver import DevServerError

    from .errors import NotSupported, TemporalTestError

    try:
        yield
    except NotSupported as error:
        raise pytest.skip.Exception(str(error)) from None
    except (DevServerError, TemporalTestError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
