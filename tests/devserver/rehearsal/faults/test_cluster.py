"""Faults of the patient, checked before anything is started; their effects: tests/devserver/cluster/test_patient.py."""

from __future__ import annotations

import pytest

from devserver.cluster import Cluster, cassandra, roles
from devserver.rehearsal import at, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.faults.cluster import ClusterFault
from devserver.rehearsal.scenario.preflight import check
from tests.devserver.rehearsal.conftest import scene

DESCRIBED = {
    faults.cluster.kill("history"): (
        "of the patient, every history process is killed (-9), until the runbook repairs it"
    ),
    faults.cluster.kill("history-2", down=3): "of the patient, history-2 is killed (-9), down for 3 s",
    faults.cluster.freeze("postgres", for_=2): "of the patient, postgres is frozen, for 2 s",
    faults.cluster.stop("matching"): (
        "of the patient, every matching process is stopped gracefully, until the runbook repairs it"
    ),
    faults.cluster.restart("worker-1"): "of the patient, worker-1 is restarted",
    faults.node(2).black_hole(): (
        "of the patient, node-2 is black-holed: all of its packets are dropped, until the runbook repairs it"
    ),
    faults.node(3).freeze(for_=4): "of the patient, node-3 is frozen, for 4 s",
    faults.node().kill(down=5): "of the patient, every Cassandra node is killed (-9), down for 5 s",
}


@pytest.mark.parametrize("fault", DESCRIBED, ids=str)
def test_a_fault_says_what_it_does(fault: ClusterFault) -> None:
    """The plan and the report name the members and how long they are down."""
    assert str(fault) == DESCRIBED[fault]


def test_a_fault_without_its_member() -> None:
    """A scenario without a patient, or without such a member, is refused before anything starts."""
    fault = faults.cluster.kill("history-3")
    with pytest.raises(ScenarioInvalid, match="has no patient"):
        check(scene("steps", "Sure", at.elapsed(0).do(fault)))
    with pytest.raises(ScenarioInvalid, match="has no member 'history-3'") as caught:
        check(scene("steps", "Sure", at.elapsed(0).do(fault), patient=Cluster(roles=roles(history=2))))
    assert "history-2" in str(caught.value.hint)
    node = faults.node(4).black_hole()
    with pytest.raises(ScenarioInvalid, match="has no member 'node-4'"):
        check(scene("steps", "Sure", at.elapsed(0).do(node), patient=Cluster()))
    with pytest.raises(ScenarioInvalid, match="has no member 'node-4'") as caught:
        check(scene("steps", "Sure", at.elapsed(0).do(node), patient=Cluster(database=cassandra())))
    assert "node-3" in str(caught.value.hint)
    with pytest.raises(ScenarioInvalid, match="takes the number of a node"):
        faults.node(0)
