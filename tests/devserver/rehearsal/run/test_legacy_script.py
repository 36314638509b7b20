"""The way it is done today, run beside the runbook: what differs is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devserver.rehearsal import LegacyScript, Result, Scenario, at, drills, expect
from devserver.rehearsal.errors import ScenarioInvalid

from ..conftest import Rehearse, scene

NOTES = "from devserver.rehearsal import ledger\nfor key in {keys}: ledger.effect('step', key)\nprint({said})"


def legacy_script(keys: list[str], said: object = ["one", "two", "three"]) -> Scenario:
    """Three steps, and a script that notes these effects and says that."""
    script = LegacyScript(
        [sys.executable, "-c", NOTES.format(keys=keys, said=f"{str(said)!r}.replace(chr(39), chr(34))")]
    )
    return scene("steps", "Sure", legacy_script=script)


def told(result: Result) -> dict[str, tuple[str, str]]:
    """Verdict and evidence of what was compared."""
    return {
        each.name.removeprefix("the same ").removesuffix(" as the legacy script"): (each.verdict, each.evidence)
        for each in result.judgements
        if each.name.endswith("the legacy script")
    }


def test_the_same(rehearse: Rehearse) -> None:
    """A script that does the same in the same order, with the same result, agrees."""
    result = rehearse(legacy_script(["one", "two", "three"]))
    assert result.verdict == "pass", result.reason
    assert set(told(result)) == {"effects", "order", "result"}
    assert {verdict for verdict, _ in told(result).values()} == {"pass"}


def test_other_effects(rehearse: Rehearse) -> None:
    """What only one of them does, or does more often, is named."""
    result = rehearse(legacy_script(["one", "one", "two", "four"]))
    assert result.verdict == "fail"
    verdict, evidence = told(result)["effects"]
    assert verdict == "fail"
    assert "only the runbook did: step three" in evidence
    assert "only the legacy script did: step one" in evidence
    assert "only the legacy script did: step four" in evidence


def test_another_order(rehearse: Rehearse) -> None:
    """The same effects in another order are told with both orders."""
    result = rehearse(legacy_script(["two", "one", "three"]))
    assert told(result)["effects"][0] == "pass"
    verdict, evidence = told(result)["order"]
    assert verdict == "fail"
    assert "the runbook: step one, step two, step three" in evidence
    assert "the legacy script: step two, step one, step three" in evidence


def test_another_result(rehearse: Rehearse) -> None:
    """Another result is told with both."""
    result = rehearse(legacy_script(["one", "two", "three"], said="done"))
    assert told(result)["result"] == ("fail", "the legacy script returns 'done', the runbook ['one', 'two', 'three']")


def test_a_script_that_fails_proves_nothing(rehearse: Rehearse) -> None:
    """The verdict is unknown, with what the script said last."""
    script = LegacyScript([sys.executable, "-c", "raise SystemExit('no such cluster')"])
    result = rehearse(scene("steps", "Sure", legacy_script=script))
    assert result.verdict == "unknown"
    assert "the script exited with code 1" in result.reason
    assert any("no such cluster" in line for each in result.judgements for line in each.details)


def test_a_script_that_is_not_there(rehearse: Rehearse) -> None:
    """Its name is told."""
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript(["no-such-script"])))
    assert result.verdict == "unknown"
    assert any("no-such-script: No such file" in line for each in result.judgements for line in each.details)


def test_a_script_that_does_not_end(rehearse: Rehearse) -> None:
    """It is ended at its limit, with what it has started."""
    sleeps = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript([sys.executable, "-c", sleeps], limit=0.5)))
    assert result.verdict == "unknown"
    assert "passed its time limit" in result.reason


def test_a_shell_notes_effects_too(rehearse: Rehearse, tmp_path: Path) -> None:
    """A script in another language notes its effects with a command; it runs in the scenario's folder."""
    script = tmp_path / "old.sh"
    note = f"{sys.executable} -m devserver.rehearsal.ledger step"
    script.write_text(
        f'set -e\ntest -f steps.py\n{note} one\n{note} two\n{note} three\necho \'["one","two","three"]\'\n'
    )
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript(["sh", str(script)])))
    assert result.verdict == "pass", result.reason


def test_a_command_is_a_list() -> None:
    """No shell reads it, so one text is refused with the right form."""
    with pytest.raises(ScenarioInvalid, match=r"is a list of words, not 'sh old.sh'"):
        LegacyScript("sh old.sh")


def test_a_runbook_that_is_handed_over_to_it(rehearse: Rehearse) -> None:
    """The scenario's script takes the runbook's place then; it is not run beside it and compared as well."""
    script = LegacyScript([sys.executable, "-c", NOTES.format(keys=["two", "three"], said="'done'")])
    plan = at.activity_starts("step", nth=2).do(drills.hand_over())
    result = rehearse(scene("steps", "Sure", plan, legacy_script=script, expect=[expect.status("canceled")]))
    assert told(result) == {}
    assert any("two" in effect.key for effect in result.run.effects) if result.run else False
