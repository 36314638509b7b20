"""The expectation that a runbook that is stopped takes back what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScenarioInvalid
from ..ledger import Effect
from ..scenario.result import Judgement, RehearsalRun

ASKED = "WorkflowExecutionCancelRequested"


@dataclass(frozen=True)
class Compensates:
    """The effect happened in time, for each key that is wanted."""

    name: str
    keys: Sequence[str]
    of: str | None

    def judge(self, run: RehearsalRun) -> Judgement:
        """By the ledger."""
        asked = next((mark.at for mark in run.marks if mark.lane == "event" and mark.what == ASKED), run.started)
        since = run.began.timestamp() + asked
        if self.of is not None:
            return self._pairs(run.effects)
        done = [effect.key for effect in run.effects if effect.name == self.name and effect.at >= since]
        missing = [f"{self.name} {key} did not happen" for key in self.keys if key not in done]
        if not done and not missing:
            missing = [f"{self.name} did not happen"]
        return self._finding(missing, done)

    def _pairs(self, effects: Sequence[Effect]) -> Judgement:
        """Each key of what is compensated: after the last time that it was done, it was taken back."""
        last: dict[str, int] = {}
        back: dict[str, int] = {}
        for place, effect in enumerate(effects):
            if effect.name in (self.of, self.name):
                (last if effect.name == self.of else back)[effect.key] = place
        wanted = {key: place for key, place in last.items() if not self.keys or key in self.keys}
        if not wanted:
            return Judgement(str(self), "unknown", f"no effect {self.of!r} happened: there was nothing to take back")
        missing = [
            f"{self.of} {key}".rstrip() + f" was done, and no {self.name} came after it"
            for key, place in wanted.items()
            if back.get(key, -1) < place
        ]
        return self._finding(missing, list(wanted))

    def _finding(self, missing: Sequence[str], done: Sequence[str]) -> Judgement:
        if missing:
            return Judgement(str(self), "fail", "; ".join(missing), missing)
        which = ", ".join(dict.fromkeys(key for key in done if key))
        return Judgement(str(self), "pass", f"{self.name} happened" + (f" for {which}" if which else ""))

    def __str__(self) -> str:
        which = f" ({', '.join(self.keys)})" if self.keys else ""
        return f"{self.name}{which} takes back " + (f"each {self.of}" if self.of else "what was done")


def compensates(name: str, *keys: str, of: str | None = None) -> Compensates:
    """When the runbook is stopped, the effect of that name happens: `compensates("remove_node", of="add_node")`.

    With `of`, each effect of that name has, after the last time that it was done, one of `name` with the same key;
    `keys` narrow it. Without, the effect happens for each of `keys`, or at least once, after the runbook was cancelled
    (after its start where it never was).

    Raises:
        ScenarioInvalid: The effect would compensate itself.
    """
    if name == of:
        raise ScenarioInvalid(f"the effect {name!r} cannot take back itself")
    return Compensates(name, keys, of)
