"""Game days as they are declared: causes in words, seeds, mistakes; and where they are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devserver.rehearsal import GameDay, GameDayAction, Incident, Scenario, at, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.gameday.loader import examples, find_game_day, title_of
from tests.devserver.rehearsal.conftest import RUNBOOKS

POISON = Incident("a record is bad", named=["poison", "bad record order-7", "Überlauf"])
SCENARIO = Scenario(name="steps", runbook="steps", workflow="Nothing")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("it is POISON!", True),
        ("order-7 is a bad, bad record", True),
        ("a bad record", False),
        ("überlauf", True),
        ("poisonous", False),
        ("", False),
        ("<script>poison</script>", True),
    ],
)
def test_a_cause_is_right_if_it_has_all_words_of_one_entry(text: str, right: bool) -> None:
    """In any order, case and punctuation; parts of words do not count."""
    assert POISON.is_named_by(text) is right


def test_without_words_the_facilitator_judges() -> None:
    """Nothing is guessed."""
    assert Incident("a secret").is_named_by("anything") is None


def test_the_seed_chooses_the_incident() -> None:
    """The same seed chooses the same one, and others choose all of them."""
    day = GameDay(SCENARIO, [Incident(str(number)) for number in range(4)])
    drawn = [day.drawn(seed)[0].cause for seed in range(40)]
    assert drawn == [day.drawn(seed)[0].cause for seed in range(40)]
    assert set(drawn) == {"0", "1", "2", "3"}


def test_the_plan_of_a_scenario_is_part_of_each_incident() -> None:
    """Without incidents, it is the whole plan."""
    first, second = at.elapsed(1).do(faults.kill_server()), at.facilitator().do(faults.kill_worker())
    scenario = Scenario(name="steps", runbook="steps", workflow="Nothing", plan=[first])
    assert GameDay(scenario).drawn(1)[1].plan == [first]
    assert GameDay(scenario, [Incident("x", [second])]).drawn(1)[1].plan == [first, second]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: GameDay(SCENARIO, incidents=POISON), "list of Incident"),  # type: ignore[arg-type]
        (lambda: GameDay("steps"), "needs a Scenario"),  # type: ignore[arg-type]
        (lambda: GameDay(SCENARIO, [Incident("x", remedies=["roll-back"])]), "not one of its actions"),
        (lambda: Incident("x", plan=[faults.kill_server()]), "not a step"),  # type: ignore[list-item]
        (lambda: Incident("x", named="poison"), "must be a list"),
        (lambda: GameDayAction("Roll back", "it", faults.kill_worker()), "cannot be called"),
        (lambda: GameDayAction("roll-back", "it", faults.kill_worker), "does nothing"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_are_found_at_once(make: Any, why: str) -> None:
    """With a message that says what is wrong."""
    with pytest.raises(ScenarioInvalid, match=why):
        make()


def test_the_examples_can_be_played_by_name() -> None:
    """All of them load, and their titles name no cause."""
    found = examples()
    assert list(found) == ["cluster", "imports", "payouts"]
    for name in found:
        day = find_game_day(name)
        assert day.incidents
        assert all(incident.named and incident.hints for incident in day.incidents)
    assert [title_of(file) for file in found.values()] == [
        "A cluster that serves other teams",
        "A nightly import of customer records",
        "Payouts to sellers",
    ]


def test_a_scenario_of_a_rehearsal_can_be_played(tmp_path: Path) -> None:
    """A file with several needs a choice; an unknown name lists the examples."""
    file = tmp_path / "two.py"
    head = "from devserver.rehearsal import Scenario, at, faults\n"
    one = "Scenario(name='{0}', runbook='steps', workflow='Nothing', plan=[at.elapsed(1).do(faults.kill_server())])\n"
    file.write_text(f"{head}first = {one.format('the first')}second = {one.format('the second')}")
    (tmp_path / "steps.py").write_text((RUNBOOKS / "steps.py").read_text())
    assert find_game_day(str(file), "second").name == "the second"
    with pytest.raises(ScenarioInvalid, match="several game days: 'the first', 'the second'"):
        find_game_day(str(file))
    with pytest.raises(ScenarioInvalid, match="no file and no game day 'nothing'") as raised:
        find_game_day("nothing")
    assert "cluster, imports, payouts" in str(raised.value.hint)
