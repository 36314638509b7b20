"""What a running game day answers, without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devserver.rehearsal import GameDay, GameDayAction, Incident, Scenario, faults
from devserver.rehearsal.errors import GameDayNotPossible, ScenarioInvalid
from devserver.rehearsal.gameday.control import answering, ask, request_of
from devserver.rehearsal.gameday.record import GameDayFolder
from devserver.rehearsal.gameday.session import GameDaySession
from devserver.rehearsal.scenario.timeline import Timeline
from devserver.system.local_socket import connected_socket
from devserver.system.paths import Paths
from tests.helpers.waiting import LIMIT

DAY = GameDay(
    Scenario(name="steps", runbook="steps", workflow="Nothing"),
    [Incident("a bad build", named=["build"], hints=["look"], remedies=["roll-back"])],
    actions=[GameDayAction("roll-back", "deploys the old build", faults.replace_worker("steps", build_id="1"))],
)


class CrashedRun(SimpleNamespace):
    """A run whose worker has ended by itself."""

    def __init__(self) -> None:
        super().__init__(worker=None, timeline=Timeline(), workflow_id="w", patient=None)
        self.started: list[Any] = []

    def with_build(self, module: str, build_id: str | None) -> tuple[str, str | None]:
        """Return what a worker would run."""
        return module, build_id

    async def start_worker(self, settings: Any = None) -> None:
        """Remember what was started."""
        self.started.append(settings)


def session() -> tuple[GameDaySession, CrashedRun]:
    """A game day after its worker has crashed."""
    found, run = GameDaySession(DAY, DAY.incidents[0]), CrashedRun()
    context: Any = run
    executor: Any = object()
    found._context, found._executor = context, executor
    run.timeline.note("fault", "a bad build", at=0.0)
    return found, run


def asked(found: GameDaySession, what: str, **facts: Any) -> dict[str, Any]:
    """The answer to a request."""
    return asyncio.run(request_of(found, what, facts))


def test_a_crashed_worker_can_be_replaced() -> None:
    """There is none to kill then, and the roll-back starts the old build all the same."""
    found, run = session()
    assert asked(found, "act", action="roll-back") == {"done": "deploys the old build"}
    assert run.started == [("steps", "1")]
    assert [(note.text, note.right, note.problem) for note in found.said("action")] == [("roll-back", True, None)]


def test_what_cannot_be_done_says_so() -> None:
    """No further hint, no empty cause, no unknown action or request; nothing before the runbook has started."""
    found, _ = session()
    assert asked(found, "hint")["hint"] == "look"
    for what, facts, why in (
        ("hint", {}, "no further hint"),
        ("cause", {"text": " "}, "a cause needs words"),
        ("dance", {}, "cannot do 'dance'"),
    ):
        with pytest.raises(GameDayNotPossible, match=why):
            asked(found, what, **facts)
    with pytest.raises(ScenarioInvalid, match="unknown action 'sing'"):
        asked(found, "act", action="sing")
    with pytest.raises(GameDayNotPossible, match="has not started yet"):
        asked(GameDaySession(DAY, DAY.incidents[0]), "status")


def test_the_first_end_counts() -> None:
    """A limit that passes a moment later changes nothing."""
    found, _ = session()
    assert asked(found, "end")["ending"] == "person"
    found.finish("limit")
    assert found.ending == "person"


def test_the_facilitator_overrules_the_words() -> None:
    """A cause that was wrong by its words can be right, and then it counts from when it was named."""
    found, _ = session()
    assert asked(found, "cause", text="the release of this morning")["right"] is False
    asyncio.run(found.judge(0, right=True))
    (note,) = found.said("cause")
    assert (note.right, note.judged_by) == (True, "facilitator")
    assert found.cause_named_at == note.at
    with pytest.raises(GameDayNotPossible, match="nobody has named a cause 1"):
        asyncio.run(found.judge(1, right=True))


def test_who_asks_is_always_answered_or_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no request is closed without a word, also of somebody who leaves; an action that breaks says how."""
    folder = GameDayFolder(Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data"), "gameday")
    folder.path.mkdir(parents=True, mode=0o700)
    found, _ = session()

    async def broken(name: str) -> dict[str, Any]:
        raise RuntimeError(f"{name} is broken")

    async def run() -> None:
        async with answering(folder, found):
            for sent in (b"", b"[1]\n", b"{\n"):
                reader, writer = await asyncio.open_unix_connection(sock=connected_socket(folder.socket, LIMIT))
                writer.write(sent)
                writer.write_eof()
                assert await asyncio.wait_for(reader.read(), LIMIT) == b""
                writer.close()
                await writer.wait_closed()
            with pytest.raises(GameDayNotPossible, match="roll-back is broken"):
                await asyncio.to_thread(ask, folder, "act", action="roll-back")

    monkeypatch.setattr(found, "act", broken)
    asyncio.run(run())
    assert caplog.records == []


def test_a_look_that_fails_does_not_end_the_watch() -> None:
    """That it has recovered is seen also where the tools could not be read at a moment."""
    found, _ = session()

    class Broken(SimpleNamespace):
        """Tools that show nothing."""

        async def look(self, why: str = "") -> None:
            """Fail."""
            raise OSError("gone")

    async def watch() -> None:
        polling = asyncio.create_task(found._poll())
        while found.recovered_at is None and not polling.done():
            await asyncio.sleep(0.01)
        polling.cancel()

    observations: Any = Broken(found=[])
    found.observations, found.status = observations, "completed"
    asyncio.run(asyncio.wait_for(watch(), LIMIT))
    assert [note.kind for note in found.notes] == ["recovered"]
