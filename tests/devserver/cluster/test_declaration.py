"""What a cluster may be declared as."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from devserver.cluster import Cluster, cassandra, postgres, roles
from devserver.errors import OptionError


def test_a_declaration_can_be_read_and_sent() -> None:
    """It names its members, is printed in one line, and comes back from JSON as it was."""
    declared = Cluster(roles=roles(history=3), shards=16, dynamic_config={"frontend.namespaceRPS": 5})
    assert declared.roles.members() == (
        *("frontend-1", "history-1", "history-2", "history-3"),
        *("matching-1", "worker-1"),
    )
    assert str(declared) == (
        "Temporal 1.32.0: 1 frontend, 3 history, 1 matching, 1 worker; 16 shards; PostgreSQL, 200 connections"
    )
    assert Cluster.from_json(json.loads(json.dumps(declared.to_json()))) == declared
    ring = Cluster(database=cassandra(nodes=4, replication=3))
    assert str(ring).endswith("8 shards; Cassandra, 4 nodes, replication factor 3")
    assert Cluster.from_json(json.loads(json.dumps(ring.to_json()))) == ring
    before = declared.to_json()
    del before["database"]["kind"]  # as earlier versions wrote it
    assert Cluster.from_json(before) == declared


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Cluster(shards=0), "cannot have 0 history shards"),
        (lambda: Cluster(roles=roles(history=0)), "cannot have 0 history processes"),
        (lambda: Cluster(roles=roles(frontend=10)), "cannot have 10 frontend processes"),
        (lambda: Cluster(database=postgres(connections=3)), "cannot work with 3 connections"),
        (lambda: cassandra(nodes=7), r"cassandra\(nodes=7\) is not possible"),
        (lambda: cassandra(nodes=2), "2 nodes cannot hold 3 copies of each row"),
        (lambda: Cluster(version="../evil"), "'../evil' is not a version of the Temporal server"),
        (lambda: Cluster(namespace="temporal-system"), "is reserved for the server"),
    ],
    ids=["shards", "history", "frontend", "connections", "nodes", "replication", "version", "namespace"],
)
def test_a_value_out_of_range(declare: Callable[[], Cluster], message: str) -> None:
    """It is refused when it is declared, before anything is started."""
    with pytest.raises(OptionError, match=message) as caught:
        declare()
    assert caught.value.hint
