"""What `@pytest.mark.temporal(...)` says of a test."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

NAME = "temporal"
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
    values: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(NAME))):
        _check(item, mark)
        values.update(mark.kwargs)
    return Wishes(**values)


def _check(item: pytest.Item, mark: pytest.Mark) -> None:
    import pytest

    valid = [each.name for each in fields(Wishes)]
    if mark.args:
        raise pytest.UsageError(f"{item.nodeid}: mark.temporal takes words only: {', '.join(valid)}")
    for name, value in mark.kwargs.items():
        if name not in KINDS:
            near = difflib.get_close_matches(name, valid, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise pytest.UsageError(
                f"{item.nodeid}: mark.temporal has no word {name!r}{hint} (valid: {', '.join(valid)})"
            )
        if not isinstance(value, KINDS[name]):
            kind = KINDS[name].__name__
            raise pytest.UsageError(f"{item.nodeid}: mark.temporal({name}=...) takes a {kind}, not {value!r}")
