"""The `temporal_client_options` of a recorded history: those that the recorded test has in the current code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FIXTURE = "temporal_client_options"
REPORTS: pytest.StashKey[dict[pytest.Collector, pytest.CollectReport]] = pytest.StashKey()


@dataclass(frozen=True)
class RecordedNode:
    """The node nearest to a recorded test that still exists. `missing` says why it is not the node of the test."""

    node: pytest.Collector
    missing: str = ""

    def definitions(self, item: pytest.Item) -> dict[str, Sequence[Any]]:
        """The definitions of the options fixture; none if the folder of the item overrides them."""
        manager = item.session._fixturemanager
        there = manager.getfixturedefs(FIXTURE, self.node) or ()
        here = manager.getfixturedefs(FIXTURE, item) or ()
        if here and here[-1] not in there:
            return {}
        _, found = manager.getfixtureclosure(parentnode=self.node, initialnames=(FIXTURE,), ignore_args=frozenset())
        return {**found}


def node_of(history: pytest.Collector) -> RecordedNode:
    """The node of the test that a history was recorded in. Its module is imported, as it may define the options."""
    owner = _owner(history.path)
    if owner is None:
        return RecordedNode(history)
    file, *names = owner.partition("[")[0].split("::")[:-1]
    path = history.config.rootpath / file
    node: Any = next((parent for parent in history.iter_parents() if _leads_to(parent, path)), None)
    if node is None:
        return RecordedNode(history)
    while node.path != path:
        following = next((child for child in _children(node)[0] if _leads_to(child, path)), None)
        if following is None:
            return RecordedNode(node, f"{file} no longer exists" if not path.exists() else f"{file} is not collected")
        node = following
    for name in names:
        children, problem = _children(node)
        following = next((child for child in children if child.name == name), None)
        if following is None:
            return RecordedNode(node, problem or f"{owner} no longer exists")
        if not isinstance(following, pytest.Collector):
            break  # a fixture of function scope
        node = following
    return RecordedNode(node, _children(node)[1])


def _owner(path: Path) -> str | None:
    """The test, or the fixture of a scope, that a recording names; None for a session's, which has no node."""
    from devserver.history import HistoryFileError, read_history

    try:
        owner = read_history(path).document.get("test")
    except HistoryFileError:
        return None
    return owner if isinstance(owner, str) and "::" in owner else None


def _leads_to(node: object, path: Path) -> bool:
    return isinstance(node, (pytest.Directory, pytest.File)) and (node.path == path or node.path in path.parents)


def _children(node: pytest.Collector) -> tuple[list[Any], str]:
    """What pytest collects in a node, which also registers its fixtures; or why it cannot collect."""
    session = node.session
    reports = session.stash.setdefault(REPORTS, {})
    if node not in reports:
        reports[node], known = session._collect_one_node(node)
        if not known and pytest.version_tuple < (9,):
            # pytest 8 leaves out tests that it has collected before.
            session._collection_cache.pop(node)
    report = reports[node]
    if report.passed:
        return list(report.result), ""
    cause = str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip()
    return [], f"{node.nodeid} cannot be imported: {cause}"
