"""What `@pytest.mark.temporal(...)` says of a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import payload_budget

if TYPE_CHECKING:
    import pytest

    from .payload_budget import Budget

NAME = "temporal"
# A test that has this fixture needs a server of its own, as if its mark said so.
OUTAGE = "temporal_outage"
# And this one implies time_skipping.
TIME = "temporal_time"
LINE = (
    "temporal(time_skipping, search_attributes, dynamic_config, version, private_server, replay, retention): "
    "what a test needs of its Temporal server"
)


@dataclass(frozen=True)
class Wishes:
    """What a test asks for. Dynamic configuration and versions are a server's own, so they imply a private one."""

    time_skipping: bool = False
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    dynamic_config: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    private_server: bool = False
    replay: bool = True
    retention: timedelta = timedelta(days=1)
    budget: Budget | None = None

    @property
    def private(self) -> bool:
        """Whether the test needs a server of its own."""
        return self.private_server or bool(self.dynamic_config) or self.version is not None


KINDS: Mapping[str, type] = {
    "time_skipping": bool,
    "search_attributes": dict,
    "dynamic_config": dict,
    "version": str,
    "private_server": bool,
    "replay": bool,
    "retention": timedelta,
}


def wishes(item: pytest.Item) -> Wishes:
    """The wishes of a test: its own marks over those of its class and module.

    Raises:
        pytest.UsageError: A mark has an unknown word or a value of the wrong type.
    """
    import pytest

    values: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(NAME))):
        if mark.args:
            raise pytest.UsageError(f"{item.nodeid}: mark.temporal takes words only: {', '.join(KINDS)}")
        _check(f"{item.nodeid}: mark.temporal", mark.kwargs)
        values.update(mark.kwargs)
    return Wishes(**values, budget=payload_budget.of(item))


def of_words(where: str, words: Mapping[str, Any]) -> Wishes:
    """The wishes that are said elsewhere than in a mark.

    Raises:
        pytest.UsageError: A word is unknown or has a value of the wrong type.
    """
    _check(where, words)
    return Wishes(**words)


def _check(where: str, words: Mapping[str, Any]) -> None:
    import pytest

    for name, value in words.items():
        if name not in KINDS:
            import difflib

            near = difflib.get_close_matches(name, KINDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise pytest.UsageError(f"{where} has no word {name!r}{hint} (valid: {', '.join(KINDS)})")
        if not isinstance(value, KINDS[name]):
            raise pytest.UsageError(f"{where}({name}=...) takes a {KINDS[name].__name__}, not {value!r}")
