"""The legacy script that a runbook replaces: run next to the runbook and compared, or run in its place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...system.parent_death import bound_to_parent
from .. import ledger
from ..environment.asyncio_compat import within
from ..errors import ScenarioInvalid
from ..ledger import Effect
from ..scenario.result import Judgement, RehearsalRun

LIMIT_SECONDS = 60.0
MOST_SHOWN = 10


@dataclass(frozen=True)
class ScriptRun:
    """The run of a script: its exit code (None: it passed its time limit), its printed lines, and its effects.

    `output` is its last line of standard output, decoded if it is JSON; None if it printed nothing.
    """

    code: int | None
    output: Any
    said: Sequence[str]
    effects: Sequence[Effect]


@dataclass(frozen=True)
class LegacyScript:
    """An existing script: a command without a shell, run in the scenario's folder.

    It records its effects as activities do: from Python with `ledger.effect`, from a shell with
    `python -m devserver.rehearsal.ledger NAME KEY`. Its last line, as JSON, is its result.
    """

    command: Sequence[str]
    limit: float = LIMIT_SECONDS
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.command, str) or not self.command:
            raise ScenarioInvalid(
                f"a script is a list of words, not {self.command!r}", hint='LegacyScript(["python", "scale_up.py"])'
            )

    def __str__(self) -> str:
        return " ".join(self.command)

    async def run(self, folder: Path | None, ledger_file: Path) -> ScriptRun:
        """Run the script with this ledger, to its end or its time limit."""
        if not ledger_file.exists():
            ledger.create(ledger_file)
        before = len(ledger.read(ledger_file))
        process = await asyncio.create_subprocess_exec(
            *bound_to_parent(list(self.command)),
            cwd=folder,
            env={**os.environ, **self.environment, ledger.FILE: str(ledger_file)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = await within(self.limit, process.communicate())
            code = process.returncode
        except asyncio.TimeoutError:
            said, code = b"", None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        lines = said.decode(errors="replace").splitlines()
        return ScriptRun(code, _output(lines), lines, ledger.read(ledger_file, before))


def compare(run: RehearsalRun, old: ScriptRun) -> list[Judgement]:
    """Where the runbook and the legacy script differ: in effects, in their order, in the result."""
    if old.code != 0:
        ended = "passed its time limit" if old.code is None else f"exited with code {old.code}"
        return [Judgement("the legacy script runs", "unknown", f"the script {ended}", list(old.said[-MOST_SHOWN:]))]
    return [_effects(run, old), _order(run, old), _result(run, old)]


def _effects(run: RehearsalRun, old: ScriptRun) -> Judgement:
    ours, theirs = Counter(map(_named, run.effects)), Counter(map(_named, old.effects))
    details = [f"only the runbook did: {_times(name, count)}" for name, count in (ours - theirs).items()]
    details += [f"only the legacy script did: {_times(name, count)}" for name, count in (theirs - ours).items()]
    return _judgement("the same effects as the legacy script", details, f"{sum(ours.values())} effects are the same")


def _order(run: RehearsalRun, old: ScriptRun) -> Judgement:
    ours, theirs = list(map(_named, run.effects)), list(map(_named, old.effects))
    both = set(ours) & set(theirs)
    ours = [name for name in dict.fromkeys(ours) if name in both]
    theirs = [name for name in dict.fromkeys(theirs) if name in both]
    different = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    details = [f"the runbook: {', '.join(ours)}", f"the legacy script: {', '.join(theirs)}"] if different else []
    return _judgement("the same order as the legacy script", details, f"{len(ours)} effects come in the same order")


def _result(run: RehearsalRun, old: ScriptRun) -> Judgement:
    name = "the same result as the legacy script"
    if run.status == "completed" and run.output == old.output:
        return Judgement(name, "pass", f"both are {old.output!r}")
    ours = repr(run.output) if run.status == "completed" else f"{run.status}: {run.failure}"
    return Judgement(name, "fail", f"the legacy script returns {old.output!r}, the runbook {ours}")


def _judgement(name: str, details: Sequence[str], same: str) -> Judgement:
    if not details:
        return Judgement(name, "pass", same)
    return Judgement(name, "fail", "; ".join(details[:MOST_SHOWN]), details)


def _named(effect: Effect) -> str:
    return f"{effect.name} {effect.key}".strip()


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count} times more)"


def _output(lines: Sequence[str]) -> Any:
    if not lines:
        return None
    with contextlib.suppress(ValueError):
        return json.loads(lines[-1])
    return lines[-1]
