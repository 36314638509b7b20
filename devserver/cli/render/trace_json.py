"""A trace as JSON: one document, written while it is read, or a line for each change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...history import Step
from ...system.json_form import FORM
from ...system.timefmt import utc_now
from ...trace import HiddenRuns, RunBegins, RunEnds
from ...trace.serialization import run_data, step_data

if TYPE_CHECKING:
    from ...history import HistoryReader, RunChain
    from ...trace import TraceItem

CLOSERS = {"runs": "\n]", "steps": "]}", "step": "}"}


class Document:
    """Makes the pieces of one document from a walk; joined, they are JSON (docs/json.md)."""

    def __init__(
        self, reader: HistoryReader, chain: RunChain, address: str | None, waits: dict[str, Any] | None = None
    ) -> None:
        self._waits = waits
        self._reader = reader
        self._chain = chain
        self._address = address
        self._inside: list[str] = []  # "runs", "steps", "step", "runs", ... as deep as we are
        self._filled: list[bool] = []

    def begin(self) -> str:
        """The first piece."""
        head = {
            "form": FORM,
            "address": self._address,
            "namespace": self._chain.namespace,
            "at": utc_now(),
            "workflow_id": self._chain.workflow_id,
            "notes": list(self._chain.notes),
            "other_executions": self._chain.others,
            **({"waits": self._waits} if self._waits is not None else {}),
        }
        return _opened(head) + self._into("runs")

    async def piece(self, item: TraceItem) -> str:
        """The piece for one item of the walk. At depth d the list of runs is 3d + 1 deep."""
        runs = 3 * item.depth + 1
        if isinstance(item, RunBegins):
            head = _opened(await run_data(item.run, self._reader.converter))
            before = self._out(runs) + (self._into("runs") if len(self._inside) < runs else "")
            return before + self._separated() + head + self._into("steps")
        if isinstance(item, HiddenRuns):
            before, note = self._out(runs), json.dumps(item.what)
            within = len(self._inside) == runs
            return before + (f'{self._separated()}{{"not_shown": {note}}}' if within else f', "not_shown": {note}')
        if isinstance(item, RunEnds):
            return self._out(runs)
        if not isinstance(item.entry, Step):
            return ""
        step = self._out(runs + 1) + self._separated() + _opened(await step_data(item.entry, self._reader.converter))
        self._inside.append("step")
        self._filled.append(True)
        return step

    def end(self) -> str:
        """The last piece."""
        return self._out(0) + "}\n"

    def _into(self, what: str) -> str:
        self._inside.append(what)
        self._filled.append(False)
        return f', "{what}": ['

    def _out(self, depth: int) -> str:
        left = self._inside[depth:]
        del self._inside[depth:], self._filled[depth:]
        return "".join([CLOSERS[name] for name in reversed(left)])

    def _separated(self) -> str:
        comma = "," if self._filled[-1] else ""
        self._filled[-1] = True
        return f"{comma}\n"


def _opened(data: dict[str, Any]) -> str:
    """An object to which keys can still be added."""
    return json.dumps(data)[:-1]
