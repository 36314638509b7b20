"""The counts of a soak, in a JSON file that the next start continues."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

from devserver.system.files import write_whole

COLUMNS = ("orphans", "stale", "lost", "failed")
MOMENTS = 10


@dataclass
class Finding:
    """Something that should not be.

    Attributes:
        column: One of `COLUMNS`.
        text: What was found.
        round: The round of its kind.
        folder: Where its evidence is.
    """

    column: str
    text: str
    round: int
    folder: str


@dataclass
class Tally:
    """What the rounds of a kind have shown.

    Attributes:
        rounds: Rounds that ran, also those whose action ended before it was killed.
        kills: Processes killed with SIGKILL while they worked.
        acknowledged: Signals that the server acknowledged and that were looked for afterwards.
        seconds: Time of all rounds.
        moments: For each tenth of the usual time of the action, the kills in it.
        findings: What should not be.
    """

    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    seconds: float = 0.0
    moments: list[int] = field(default_factory=lambda: [0] * MOMENTS)
    findings: list[Finding] = field(default_factory=list)

    def count(self, column: str) -> int:
        """The findings of a column."""
        return sum(finding.column == column for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class State:
    """The seed and the tallies of all kinds. Written after each round; a second start continues from there."""

    def __init__(self, file: Path, seed: int) -> None:
        self.file = file
        self.seed = seed
        self.tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, file: Path, seed: int | None) -> State:
        """The state in `file`, or a new one.

        Raises:
            ValueError: The file has another seed than the one that was asked for.
        """
        if not file.exists():
            return cls(file, 1 if seed is None else seed)
        data = json.loads(file.read_text())
        if seed not in (None, data["seed"]):
            raise ValueError(f"{file} was begun with --seed {data['seed']}; remove it to begin again")
        state = cls(file, data["seed"])
        for name, values in data["kinds"].items():
            findings = [Finding(**finding) for finding in values.pop("findings")]
            state.tallies[name] = Tally(**values, findings=findings)
        return state

    def tally(self, kind: str) -> Tally:
        """The tally of a kind."""
        with self._lock:
            return self.tallies.setdefault(kind, Tally())

    def save(self) -> None:
        """Write the file, completely or not at all."""
        with self._lock:
            kinds = {name: asdict(tally) for name, tally in self.tallies.items()}
            write_whole({self.file: json.dumps({"seed": self.seed, "kinds": kinds}, indent=1)})
