"""The errors of a replay."""

from __future__ import annotations

from ..errors import DevServerError


class ReplayError(DevServerError):
    """Histories cannot be replayed at all."""


class NothingToReplay(ReplayError):
    """There is no history to replay, or no workflow to replay it against."""

    exit_code = 4
