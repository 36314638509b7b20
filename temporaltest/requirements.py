"""What a test requires of its server: the marks `temporal` and `payload_budget`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .marks import BUDGET_MARK, CASE_FIXTURE, MARK, is_marked

if TYPE_CHECKING:
    import pytest

BUDGET_KEYWORDS = ("largest", "total", "history")
TYPES: Mapping[str, type] = {
    "time_skipping": bool,
    "search_attributes": dict,
    "dynamic_config": dict,
    "version": str,
    "private_server": bool,
    "replay": bool,
    "retention": timedelta,
}


@dataclass(frozen=True)
class PayloadBudget:
    """Maximum bytes of one payload, of all payloads of a run, and of a run's history; None means no limit."""

    largest: int | None = None
    total: int | None = None
    history: int | None = None


@dataclass(frozen=True)
class Requirements:
    """What a test requires. Dynamic configuration and a version belong to one server, so they imply a private one."""

    time_skipping: bool | None = None  # None is the value of --temporal-time-skipping
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    dynamic_config: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    private_server: bool = False
    replay: bool = True
    retention: timedelta = timedelta(days=1)
    budget: PayloadBudget | None = None
    namespace: str | None = None  # its exact name; no mark sets it

    @property
    def private(self) -> bool:
        """Whether the test needs a server of its own."""
        return self.private_server or bool(self.dynamic_config) or self.version is not None


NONE = Requirements()


def requirements_of(item: pytest.Item) -> Requirements:
    """The requirements of a test. Its own marks override those of its class and module.

    Raises:
        pytest.UsageError: A mark has an unknown keyword or a value of the wrong type.
    """
    if not is_marked(item):
        return NONE
    values: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(MARK))):
        if mark.args:
            import pytest

            raise pytest.UsageError(f"{item.nodeid}: mark.temporal takes keyword arguments only: {', '.join(TYPES)}")
        _check(f"{item.nodeid}: mark.temporal", mark.kwargs)
        values.update(mark.kwargs)
    return Requirements(**values, budget=_budget_of(item))


def requirements_from(where: str, keywords: Mapping[str, Any]) -> Requirements:
    """Requirements given as keywords; `where` names the call in an error.

    Raises:
        pytest.UsageError: A keyword is unknown or has a value of the wrong type.
    """
    _check(where, keywords)
    return Requirements(**keywords)


def _check(where: str, keywords: Mapping[str, Any]) -> None:
    import pytest

    for name, value in keywords.items():
        if name not in TYPES:
            import difflib

            near = difflib.get_close_matches(name, TYPES, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise pytest.UsageError(f"{where} has no keyword {name!r}{hint} (valid: {', '.join(TYPES)})")
        if not isinstance(value, TYPES[name]):
            raise pytest.UsageError(f"{where}({name}=...) must be a {TYPES[name].__name__}, not {value!r}")


def _budget_of(item: pytest.Item) -> PayloadBudget | None:
    """The payload budget of a test. Its own mark overrides those of its class and module."""
    import pytest

    budget = None
    for mark in reversed(list(item.iter_markers(BUDGET_MARK))):
        where = f"{item.nodeid}: mark.{BUDGET_MARK}"
        sizes = {**dict(zip(BUDGET_KEYWORDS[:1], mark.args, strict=False)), **mark.kwargs}
        if len(mark.args) > 1 or not sizes or not set(sizes) <= set(BUDGET_KEYWORDS):
            raise pytest.UsageError(f"{where} takes one size or keywords: {', '.join(BUDGET_KEYWORDS)}, such as '64KB'")
        if mark in item.own_markers and CASE_FIXTURE not in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{where} needs a fixture with a namespace of the test's own, such as temporal")
        parsed = {keyword: _size(where, keyword, size) for keyword, size in sizes.items()}
        budget = replace(budget or PayloadBudget(), **parsed)
    return budget


def _size(where: str, keyword: str, size: Any) -> int:
    import pytest

    from devserver import DevServerError
    from devserver.payloads import parse_size

    try:
        return parse_size(size, f"{where}({keyword}=...)")
    except DevServerError as error:
        raise pytest.UsageError(str(error)) from None
