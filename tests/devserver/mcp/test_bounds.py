"""The size of what an MCP client gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devserver.mcp.bounds import bounded


def deep(levels: int) -> Any:
    """A document with three children at each level."""
    return {"name": "x" * 50, "children": [deep(levels - 1) for _ in range(3)] if levels else []}


@pytest.mark.parametrize("result", [["row"] * 50_000, {"text": "é" * 90_000}, deep(9)], ids=["list", "text", "tree"])
def test_a_large_result_is_cut_and_says_so(result: Any) -> None:
    """Whatever its shape, a result stays below the limit, and what is left out is named."""
    found = bounded({"exit_code": 0, "result": result}, 10_000)
    assert len(json.dumps(found)) <= 10_500
    assert found["exit_code"] == 0
    assert found["left_out"]


def test_a_list_is_cut_at_its_end() -> None:
    """The first items stay as they are, and the number of all is named."""
    found = bounded({"result": {"hits": [{"id": number} for number in range(5000)]}}, 10_000)
    assert found["result"]["hits"][:2] == [{"id": 0}, {"id": 1}]
    assert found["left_out"] == [f"result.hits: {len(found['result']['hits'])} of 5,000 items"]


def test_a_small_result_is_not_changed() -> None:
    """Nothing is left out of a small result."""
    assert bounded({"result": [1, "two"]}, 10_000) == {"result": [1, "two"]}
