"""Descriptions of faults, and errors in their arguments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from devserver.rehearsal import at, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.scenario.plan import Action

SENTENCES = {
    "the server is killed (-9) and down for 2 s": faults.kill_server(down=2),
    "the server is stopped gracefully and down for 90 s": faults.stop_server(timedelta(minutes=1.5)),
    "the server is frozen for 0.5 s": faults.freeze_server(0.5),
    "the worker is killed (-9)": faults.kill_worker(),
    "the result is lost: the worker is killed (-9) after the side effect": faults.lose_answer(),
    "the worker is frozen for 3 s": faults.freeze_worker(3),
    "the worker is killed and replaced by one with the code of v2 and the build id 2 after 1 s": (
        faults.replace_worker("v2", build_id="2", down=1)
    ),
    "the network between worker and server is cut for 1 s": faults.cut_network(1),
    "the network to the server is cut for 1 s": faults.cut_network(1, way="to_server"),
    "the network takes 0.2 s longer each way for 5 s": faults.slow_network(0.2, for_=5),
    "the network takes 0.2 s longer to the worker from then on": faults.slow_network(0.2, way="to_client"),
    "the worker's connections to the server are reset": faults.reset_network(),
    "the server is killed, its database lost; it is back after 0 s with an empty one": faults.lose_database(),
    "the server is killed, its database lost; it is back after 1 s with an empty one, the runbook is started again": (
        faults.lose_database(1, start_again=True)
    ),
    "a snapshot of the database is made (before)": faults.snapshot_database(),
    "the server is killed, its database restored from snapshot a; it is back after 2 s; the worker restarts too": (
        faults.restore_database("a", down=2)
    ),
    "the server is killed, its database restored from snapshot a; it is back after 0 s; the worker keeps running": (
        faults.restore_database("a", restart_worker=False)
    ),
    "the database is locked by another process for 3 s": faults.lock_database(3),
    "the server's disk is full for 3 s (its files may not grow: RLIMIT_FSIZE)": faults.fill_disk(3),
    "the runbook's clock advances by 2 days, 0:00:00": faults.advance_clock(timedelta(days=2)),
    "the activity fails: no room": faults.fail_activity("no room"),
    "the activity hangs": faults.hang_activity(),
    "the activity takes 4 s longer": faults.slow_activity(4),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_descriptions(sentence: str) -> None:
    """The plan and the report describe each fault in words."""
    assert str(SENTENCES[sentence]) == sentence


INVALID: dict[str, Callable[[], Action]] = {
    "kill_server(down=...) takes seconds (0 or more) or a timedelta, not -1": lambda: faults.kill_server(-1),
    "stop_server(down=...) takes seconds (0 or more) or a timedelta, not 'soon'": lambda: faults.stop_server("soon"),  # type: ignore[arg-type]
    "freeze_server takes seconds (0 or more) or a timedelta, not nan": lambda: faults.freeze_server(float("nan")),
    "cut_network takes seconds (0 or more) or a timedelta, not inf": lambda: faults.cut_network(float("inf")),
    "slow_network(by) takes seconds (0 or more) or a timedelta, not True": lambda: faults.slow_network(True),
    "lock_database takes seconds (0 or more) or a timedelta, not None": lambda: faults.lock_database(None),  # type: ignore[arg-type]
    "not a name of a snapshot: '../away'": lambda: faults.snapshot_database("../away"),
    "advance_clock takes a time greater than 0": lambda: faults.advance_clock(0),
    "advance_clock takes seconds (0 or more) or a timedelta, not -3600": lambda: faults.advance_clock(-3600),
    "unknown direction 'up'": lambda: faults.cut_network(1, way="up"),
    "replace_worker needs another module or build id": lambda: faults.replace_worker(),
}


@pytest.mark.parametrize("time", [-timedelta(hours=1), 3600, "an hour"])
def test_a_virtual_moment_is_a_timedelta(time: object) -> None:
    """A number could be seconds or hours, so it is refused."""
    with pytest.raises(ScenarioInvalid, match=r"at\.virtual takes a timedelta of 0 or more, not"):
        at.virtual(time)  # type: ignore[arg-type]


@pytest.mark.parametrize("message", INVALID)
def test_invalid_arguments(message: str) -> None:
    """The scenario's file does not load, and the message says what is valid."""
    with pytest.raises(ScenarioInvalid) as caught:
        INVALID[message]()
    assert caught.value.message == message


def test_an_unknown_build_is_refused_before_anything_starts(rehearse: Callable[..., object]) -> None:
    """A plan that names a module which cannot be imported is refused."""
    from tests.devserver.rehearsal.conftest import scene

    with pytest.raises(ScenarioInvalid, match="cannot import the runbook 'steps_nowhere'"):
        rehearse(scene("steps", "Sure", at.elapsed(0).do(faults.replace_worker("steps_nowhere"))), fresh=True)
