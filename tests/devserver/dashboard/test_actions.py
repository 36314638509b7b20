"""The buttons of the dashboard: they run commands, and say what these say."""

from __future__ import annotations

from typing import Any

import pytest

from devserver.dashboard.actions import ActionFailed, DashboardActions
from devserver.errors import OptionError
from devserver.system.paths import Paths


@pytest.fixture
def actions(home: object) -> dict[str, Any]:
    """All of them, by path."""
    return DashboardActions().all()


def test_a_failure_is_that_of_the_command(actions: dict[str, Any]) -> None:
    """Message and hint are those that the command prints."""
    with pytest.raises(ActionFailed, match="there is no instance nobody") as raised:
        actions["/actions/restart"]({"name": "nobody"})
    assert "devserver up --name nobody" in str(raised.value.hint)


def test_stopping_what_is_gone_is_no_error(actions: dict[str, Any], paths: Paths) -> None:
    """Two pages stop one server: the second one says that it was not running."""
    with pytest.raises(ActionFailed, match="there is no instance shop"):
        actions["/actions/down"]({"name": "shop"})


@pytest.mark.parametrize("path", ["up", "down", "restart", "snapshot", "restore"])
@pytest.mark.parametrize("name", ["", "../x", "--all", "-n", "a b", "\0", "x" * 5000, None, 7, ["a"]])
def test_a_name_is_no_option(actions: dict[str, Any], path: str, name: Any) -> None:
    """What a request names is checked before any command runs: it cannot add an option."""
    with pytest.raises(OptionError):
        actions[f"/actions/{path}"]({"name": name, "snapshot": "a"})


@pytest.mark.parametrize("snapshot", ["--yes", "../../x", "a/b", "\0"])
def test_a_snapshot_is_no_option(actions: dict[str, Any], snapshot: str) -> None:
    """The same is true of the name of a snapshot."""
    for path in ("snapshot", "restore"):
        with pytest.raises(OptionError):
            actions[f"/actions/{path}"]({"name": "shop", "snapshot": snapshot})
