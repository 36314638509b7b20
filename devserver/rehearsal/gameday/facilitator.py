"""The facilitator's page: the secret plan, the state of the game day, and buttons. Closing it changes nothing."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import secrets
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any

from ...webpages import EventStream, PageRequest, PageServer, PageTemplates
from ..errors import GameDayNotPossible
from ..report import text
from ..report.text import clean
from .debrief import ENDINGS
from .server_actions import without_resets_end
from .session import GameDaySession

LOOK_SECONDS = 0.5
ANSWER_SECONDS = 180.0
MOST_SHOWN = 30
PARTS = ("state", "plan", "causes", "hints", "story")
OVER = "The game day has ended. The debrief is where it was started."

TEMPLATES = PageTemplates("devserver.rehearsal.gameday", seconds=text.seconds)


class FacilitatorPage:
    """Serves the page from `with` until the end of the block. Its address is a secret.

    Args:
        session: The game day.
        loop: The event loop in which it runs.
        ui_url: The Web UI of its server.
    """

    def __init__(self, session: GameDaySession, loop: asyncio.AbstractEventLoop, ui_url: str | None) -> None:
        self._session = session
        self._loop = loop
        self._ui_url = ui_url
        self._secret = secrets.token_urlsafe(9)
        self._stream = EventStream()
        self._server = PageServer()
        self._server.add_page(f"/{self._secret}", self._document)
        self._server.add_stream(f"/{self._secret}/events", self._stream)
        for name in ("trigger", "judge", "end"):
            self._server.add_action(f"/{self._secret}/{name}", getattr(self, f"_{name}"))
        self._looking = threading.Thread(target=self._look, name="facilitator", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self._server.url}{self._secret}"

    def __enter__(self) -> FacilitatorPage:
        self._server.__enter__()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.end(OVER, final=True)
        self._stream.drain(2)
        self._server.__exit__(kind, error, trace)

    # What it shows

    def _document(self, request: PageRequest) -> str:
        return TEMPLATES.render(
            "facilitator.html", request, secret=self._secret, name=self._session.day.name, parts=self._parts()
        )

    def _look(self) -> None:
        """Keep open pages up to date."""
        while self._stream.wait_until_watched():
            with contextlib.suppress(Exception):  # the game day continues meanwhile; the next look shows it
                self._stream.publish_parts(self._parts())
            self._stream.sleep(LOOK_SECONDS)

    def _parts(self) -> dict[str, str]:
        session = self._session
        if not session.has_started:
            return {**dict.fromkeys(PARTS, ""), "state": "<p>The server starts …</p>"}
        values = {
            "secret": self._secret,
            "incident": session.incident,
            "state": session.state(),
            "ui_url": self._ui_url,
            "endings": ENDINGS,
            "plan": session.plan(),
            "causes": session.said("cause"),
            "given": len(session.said("hint")),
            "stopped": self._stopped(),
            "shown": self._shown(),
            "story": self._story(),
        }
        return {part: TEMPLATES.part(f"facilitator_{part}.html", **values) for part in PARTS}

    def _stopped(self) -> str:
        """What the person has done to the runbook last, in a word."""
        done = {"pause": "paused", "unpause": "resumed", "cancel": "cancelled", "terminate": "terminated"}
        mine = [action for action in self._session.server_actions if action.kind in done]
        return done[mine[-1].kind] if mine else "not yet"

    def _shown(self) -> list[str]:
        seen = self._session.observations
        last = seen.found[-1] if seen is not None and seen.found else None
        return [] if last is None else [clean(line) for line in (*last.stuck, *last.cluster)]

    def _story(self) -> list[tuple[float, str]]:
        """What was said and done, the last first."""
        session = self._session
        lines = [(note.at, f"{note.kind}: {note.text}".removesuffix(": ")) for note in session.notes]
        actions = without_resets_end(session.server_actions)
        lines += [(action.at, f"{action.workflow_id}: {action.what}") for action in actions]
        return [(at, clean(what)) for at, what in sorted(lines, reverse=True)[:MOST_SHOWN]]

    # What its buttons do

    def _trigger(self, values: Mapping[str, Any]) -> dict[str, str]:
        done = self._do(self._session.trigger(_number(values)))
        return {"message": f"Done: {done['done']}"}

    def _judge(self, values: Mapping[str, Any]) -> dict[str, str]:
        done = self._do(self._session.judge(_number(values), right=values.get("right") is True))
        return {"message": "Judged as right" if done["right"] else "Judged as wrong"}

    def _end(self, values: Mapping[str, Any]) -> dict[str, str]:
        self._loop.call_soon_threadsafe(self._session.finish, "facilitator")
        return {"message": "The game day ends, and its debrief is written"}

    def _do(self, what: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        try:
            return asyncio.run_coroutine_threadsafe(what, self._loop).result(ANSWER_SECONDS)
        except concurrent.futures.TimeoutError:
            raise GameDayNotPossible(f"it is not done after {ANSWER_SECONDS:g} s", hint="look again later") from None


def _number(values: Mapping[str, Any]) -> int:
    number = values.get("number")
    if isinstance(number, bool) or not isinstance(number, int):
        raise GameDayNotPossible("the request names no number")
    return number
