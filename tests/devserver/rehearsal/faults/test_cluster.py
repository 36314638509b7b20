"""Faults of the patient, checked before anything is started; their effects: tests/devserver/cluster/test_patient.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from devserver.cluster import Cluster, ExternalCluster, cassandra, load, roles
from devserver.errors import OptionError
from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.errors import FaultImpossible, ScenarioInvalid
from devserver.rehearsal.faults.patient_fault import PatientFault
from devserver.rehearsal.patient.external_patient import ExternalPatient
from devserver.rehearsal.scenario.preflight import check
from tests.devserver.rehearsal.conftest import Rehearse, Stand, scene

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
    faults.database.kill(down=2): "of the patient, the database is killed (-9), down for 2 s",
    faults.database.fill_disk(for_=3): (
        "of the patient, the disk of the database is full for 3 s (its files may not grow: RLIMIT_FSIZE)"
    ),
    faults.cluster.cut(("history", "database"), "silent"): (
        "of the patient, the network between history and the database is cut (silent), until the runbook repairs it"
    ),
    faults.cluster.slow(("database", "matching-1"), by=0.1, for_=5): (
        "of the patient, the network between matching-1 and the database takes 0.1 s longer each way for 5 s"
    ),
    faults.cluster.schema_behind().then(faults.cluster.restart("history")): (
        "of the patient, the schema is one version behind the binary, "
        "then of the patient, every history process is restarted"
    ),
    faults.node(2).black_hole(): (
        "of the patient, node-2 is black-holed: all of its packets are dropped, until the runbook repairs it"
    ),
    faults.node(3).freeze(for_=4): "of the patient, node-3 is frozen, for 4 s",
    faults.node().kill(down=5): "of the patient, every Cassandra node is killed (-9), down for 5 s",
}


@pytest.mark.parametrize("fault", DESCRIBED, ids=str)
def test_a_fault_says_what_it_does(fault: PatientFault) -> None:
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


EXTERNAL = ExternalCluster("127.0.0.1:7233")


@pytest.mark.parametrize(
    "fault",
    [
        faults.cluster.kill("history"),
        faults.cluster.restart("frontend"),
        faults.cluster.cut(("history", "database"), "silent", for_=1),
        faults.cluster.slow(("history", "database"), by=1),
        faults.cluster.dynamic_config("a: ["),
        faults.cluster.rate_limit(1),
        faults.cluster.schema_behind(),
        faults.database.kill(),
        faults.database.freeze(),
        faults.database.fill_disk(),
        faults.database.exhaust_connections(),
        faults.node(1).black_hole(),
        faults.cluster.dynamic_config("a: [").then(faults.cluster.restart("worker")),
    ],
    ids=str,
)
def test_a_cluster_of_somebody_else_is_never_broken(fault: PatientFault) -> None:
    """A patient that is given by its address cannot have a fault: the scenario is refused before anything starts."""
    with pytest.raises(ScenarioInvalid, match=r"is the cluster at 127\.0\.0\.1:7233, which is only looked at"):
        check(scene("steps", "Sure", at.elapsed(0).do(fault), patient=EXTERNAL))


def test_a_fault_of_your_own_does_not_break_it_either() -> None:
    """What would change it is refused, whoever asks; and the runbook learns no way to its members."""
    patient = ExternalPatient(EXTERNAL)
    acts: list[Callable[[], object]] = [
        lambda: asyncio.run(patient.ask("kill", "history")),
        lambda: asyncio.run(patient.restart("history")),
        lambda: asyncio.run(patient.database(lambda patient: None)),
        lambda: patient.write_dynamic_config("a: ["),
        lambda: patient.connect("temporal"),
        patient.take_connections,
    ]
    for act in acts:
        with pytest.raises(FaultImpossible, match="only looked at"):
            act()
    assert json.loads(patient.environment()["DEVSERVER_PATIENT"]) == {
        "address": "127.0.0.1:7233",
        "namespace": "default",
    }


def test_a_cluster_that_is_only_looked_at(stand: Stand, rehearse: Rehearse) -> None:
    """Its workload is judged, and so is its frontend without one; here it is the runbook's own server."""
    address = stand.environment.server.address
    judged = [expect.patient.nothing_lost(), expect.patient.healthy()]
    busy = ExternalCluster(address, load=load(every=0.1, schedules=False))
    result = rehearse(scene("steps", "Sure", patient=busy, expect=judged))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.patient is not None
    assert result.run.patient.acknowledged
    idle = rehearse(scene("steps", "Sure", patient=ExternalCluster(address), expect=judged[1:]))
    assert [judgement.evidence for judgement in idle.judgements] == ["its frontend answers"]
    gone = rehearse(scene("steps", "Sure", patient=ExternalCluster("127.0.0.1:1"), expect=judged[1:]))
    assert gone.verdict == "fail"
    assert "its frontend does not answer" in gone.reason


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: faults.cluster.cut(("history", "database"), "quietly"), "cannot be cut 'quietly'"),
        (lambda: faults.cluster.cut(("history", "frontend"), "refused"), "only the network to the database"),
        (lambda: faults.cluster.slow(("history", "database"), by=-1), "takes seconds"),
        (lambda: faults.cluster.rate_limit(0), "number of requests from 1 on"),
        (lambda: faults.cluster.dynamic_config(7), "takes the text of a file"),  # type: ignore[arg-type]
        (lambda: ExternalCluster("http://cluster"), "is not the address of a cluster"),
        (lambda: at.log("x", where="disk"), "'server' or a member of the patient, not 'disk'"),
    ],
)
def test_invalid_arguments(make: Callable[[], object], message: str) -> None:
    """They are an error where the scenario is written."""
    with pytest.raises((ScenarioInvalid, OptionError), match=message):
        make()


def test_logs_of_the_patient_in_a_scenario() -> None:
    """A moment and an expectation can name any member's log, and nothing else."""
    patient = Cluster()
    for where in ("server", "history-2", "history", "postgres", "database"):
        step = at.log("panic", where).do(faults.kill_worker())
        check(scene("steps", "Sure", step, patient=patient, expect=[expect.log_free_of("panic", where)]))
    with pytest.raises(ScenarioInvalid, match="has no log 'history-3'") as caught:
        check(scene("steps", "Sure", patient=patient, expect=[expect.log_free_of("panic", "history-3")]))
    assert "history-2" in str(caught.value.hint)
    with pytest.raises(ScenarioInvalid, match="has no log 'history'"):
        check(scene("steps", "Sure", at.log("panic", "history").do(faults.kill_worker())))
