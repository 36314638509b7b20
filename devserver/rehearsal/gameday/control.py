"""The socket on which a running game day is asked: both of its ends. Requests and answers are lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from ...errors import DevServerError
from ...system.local_socket import connected_socket, listening_socket
from ..errors import GameDayNotPossible, NoGameDay
from .notes import MOST_TEXT
from .record import GameDayFolder
from .session import GameDaySession

MOST_BYTES = 65536
CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 5.0  # for a request to arrive
ANSWER_SECONDS = 180.0  # an action may start a worker


@contextlib.asynccontextmanager
async def answering(folder: GameDayFolder, session: GameDaySession) -> AsyncIterator[None]:
    """Answer requests for the time of the block."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readuntil(b"\n"), REQUEST_SECONDS)
            writer.write(json.dumps(await _answer(session, json.loads(line))).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            pass  # it has left, says nothing, or sends what is no request
        finally:
            writer.close()

    server = await asyncio.start_unix_server(answer, sock=listening_socket(folder.socket), limit=MOST_BYTES)
    try:
        yield
    finally:
        server.close()


async def _answer(session: GameDaySession, request: Any) -> dict[str, Any]:
    if not isinstance(request, dict):
        raise ValueError("a request is a JSON object")
    try:
        return {"done": await request_of(session, str(request.get("do")), request)}
    except DevServerError as error:
        return {"failed": error.to_json()}
    except Exception as error:  # noqa: BLE001 - an action may be the user's code; who asks must not wait in vain
        return {"failed": GameDayNotPossible(f"{type(error).__name__}: {error}").to_json()}


async def request_of(session: GameDaySession, what: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks for.

    Raises:
        DevServerError: It cannot be done; says why.
    """
    if what == "status":
        return session.state()
    if what == "noticed":
        return await session.notice(str(facts.get("text", "")))
    if what == "cause":
        return await session.name_cause(str(facts.get("text", "")))
    if what == "hint":
        return await session.give_hint()
    if what == "act":
        return await session.act(str(facts.get("action", "")))
    if what == "end":
        session.finish("person")
        return session.state()
    raise GameDayNotPossible(f"a game day cannot do {what!r}")


def ask(folder: GameDayFolder, what: str, **facts: Any) -> dict[str, Any]:
    """Ask a running game day.

    Raises:
        NoGameDay: It has ended.
        DevServerError: The error that it answers with, of its own class.
    """
    try:
        with contextlib.closing(connected_socket(folder.socket, CONNECT_SECONDS)) as connection:
            connection.settimeout(ANSWER_SECONDS)
            short = {key: value[:MOST_TEXT] if isinstance(value, str) else value for key, value in facts.items()}
            connection.sendall(json.dumps({"do": what, **short}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        answer: dict[str, Any] = json.loads(line)
    except (OSError, ValueError):
        raise NoGameDay(
            f"the game day {folder.name} does not answer", hint="it has just ended, or has not started yet"
        ) from None
    if "failed" in answer:
        raise DevServerError.from_json(answer["failed"])
    done: dict[str, Any] = answer["done"]
    return done
