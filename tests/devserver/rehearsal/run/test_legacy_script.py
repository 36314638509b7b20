"""The legacy script, run next to the runbook and compared with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devserver.rehearsal import LegacyScript, Result, Scenario, at, drills, expect
from devserver.rehearsal.errors import ScenarioInvalid

from ..conftest import Rehearse, scene

NOTES = "from devserver.rehearsal import ledger\nfor key in {keys}: ledger.effect('step', key)\nprint({output})"


def legacy_script(keys: list[str], output: object = ["one", "two", "three"]) -> Scenario:
    """Return a scenario with three steps, and a script with these effects and this output."""
    script = LegacyScript(
        [sys.executable, "-c", NOTES.format(keys=keys, output=f"{str(output)!r}.replace(chr(39), chr(34))")]
    )
    return scene("steps", "Sure", legacy_script=script)


def comparison_of(result: Result) -> dict[str, tuple[str, str]]:
    """Return verdict and evidence of the comparison."""
    return {
        judgement.name.removeprefix("the same ").removesuffix(" as the legacy script"): (
            judgement.verdict,
            judgement.evidence,
        )
        for judgement in result.judgements
        if judgement.name.endswith("the legacy script")
    }


def test_same_behaviour(rehearse: Rehearse) -> None:
    """A script with the same effects in the same order and the same result passes."""
    result = rehearse(legacy_script(["one", "two", "three"]))
    assert result.verdict == "pass", result.reason
    assert set(comparison_of(result)) == {"effects", "order", "result"}
    assert {verdict for verdict, _ in comparison_of(result).values()} == {"pass"}


def test_other_effects(rehearse: Rehearse) -> None:
    """Effects that only one of them has, or has more often, are named."""
    result = rehearse(legacy_script(["one", "one", "two", "four"]))
    assert result.verdict == "fail"
    verdict, evidence = comparison_of(result)["effects"]
    assert verdict == "fail"
    assert "only the runbook did: step three" in evidence
    assert "only the legacy script did: step one" in evidence
    assert "only the legacy script did: step four" in evidence


def test_other_order(rehearse: Rehearse) -> None:
    """The evidence shows both orders."""
    result = rehearse(legacy_script(["two", "one", "three"]))
    assert comparison_of(result)["effects"][0] == "pass"
    verdict, evidence = comparison_of(result)["order"]
    assert verdict == "fail"
    assert "the runbook: step one, step two, step three" in evidence
    assert "the legacy script: step two, step one, step three" in evidence


def test_other_result(rehearse: Rehearse) -> None:
    """The evidence shows both results."""
    result = rehearse(legacy_script(["one", "two", "three"], output="done"))
    assert comparison_of(result)["result"] == (
        "fail",
        "the legacy script returns 'done', the runbook ['one', 'two', 'three']",
    )


def test_a_failing_script(rehearse: Rehearse) -> None:
    """The verdict is unknown, with the script's last output."""
    script = LegacyScript([sys.executable, "-c", "raise SystemExit('no such cluster')"])
    result = rehearse(scene("steps", "Sure", legacy_script=script))
    assert result.verdict == "unknown"
    assert "the script exited with code 1" in result.reason
    assert any("no such cluster" in line for judgement in result.judgements for line in judgement.details)


def test_a_missing_script(rehearse: Rehearse) -> None:
    """The error names the script."""
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript(["no-such-script"])))
    assert result.verdict == "unknown"
    assert any("no-such-script: No such file" in line for judgement in result.judgements for line in judgement.details)


def test_a_script_that_hangs(rehearse: Rehearse) -> None:
    """It is killed at its timeout, with all of its processes."""
    sleeps = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript([sys.executable, "-c", sleeps], limit=0.5)))
    assert result.verdict == "unknown"
    assert "passed its time limit" in result.reason


def test_a_shell_script_records_effects(rehearse: Rehearse, tmp_path: Path) -> None:
    """A script in another language records effects with a command, in the scenario's folder."""
    script = tmp_path / "old.sh"
    note = f"{sys.executable} -m devserver.rehearsal.ledger step"
    script.write_text(
        f'set -e\ntest -f steps.py\n{note} one\n{note} two\n{note} three\necho \'["one","two","three"]\'\n'
    )
    result = rehearse(scene("steps", "Sure", legacy_script=LegacyScript(["sh", str(script)])))
    assert result.verdict == "pass", result.reason


def test_a_command_is_a_list() -> None:
    """A string is refused with the right form, because no shell is used."""
    with pytest.raises(ScenarioInvalid, match=r"is a list of words, not 'sh old.sh'"):
        LegacyScript("sh old.sh")


def test_a_script_for_a_hand_over(rehearse: Rehearse) -> None:
    """If the script takes over from the runbook, it is not also run for comparison."""
    script = LegacyScript([sys.executable, "-c", NOTES.format(keys=["two", "three"], output="'done'")])
    plan = at.activity_starts("step", nth=2).do(drills.hand_over())
    result = rehearse(scene("steps", "Sure", plan, legacy_script=script, expect=[expect.status("canceled")]))
    assert comparison_of(result) == {}
    assert any("two" in effect.key for effect in result.run.effects) if result.run else False
