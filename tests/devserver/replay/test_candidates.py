"""Which workflows a replay takes from a large namespace."""

from __future__ import annotations

import pytest

from devserver.replay import Candidate
from devserver.replay.candidates import spread


def groups(*sizes: int) -> list[list[Candidate]]:
    """Groups of these sizes; the workflow ids tell the group and the place in it."""
    return [[Candidate(f"{group}-{place}", "", "Order") for place in range(size)] for group, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "limit", "counts"),
    [
        ((1000, 2, 1), 10, [7, 2, 1]),
        ((1000, 1000), 5, [3, 2]),
        ((3, 3), 100, [3, 3]),
        ((5,), 2, [2]),
        ((), 5, []),
    ],
)
def test_rare_shapes_come_first(sizes: tuple[int, ...], limit: int, counts: list[int]) -> None:
    """No shape is left out for a common one, and what is left of the limit goes to the common ones."""
    chosen = [candidate.workflow_id for candidate in spread(groups(*sizes), limit)]
    found = [sum(name.startswith(f"{group}-") for name in chosen) for group in range(len(sizes))]
    assert sorted(found) == sorted(counts)
    assert len(set(chosen)) == len(chosen)


def test_a_shape_is_sampled_over_its_whole_time() -> None:
    """Of one shape the newest and old ones are taken, not only the newest."""
    chosen = [candidate.workflow_id for candidate in spread(groups(100), 4)]
    assert chosen == ["0-0", "0-25", "0-50", "0-75"]
