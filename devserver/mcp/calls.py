"""Runs the command of a tool in a process of its own, with limits of time and size."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from ..system.own_command import own_command
from ..system.parent_death import bound_to_parent
from ..system.redact import own_secrets, without
from .bounds import bounded, cut_text
from .errors import ToolFailed
from .tools import CommandTool

MOST_AT_ONCE = 4
MOST_BYTES = 64 * 2**20
MOST_ERROR_CHARACTERS = 4000
STOP_SECONDS = 20.0
ERROR = "error: "


class CommandRunner:
    """Runs commands for an MCP server, at most MOST_AT_ONCE at a time.

    Args:
        most: Most characters of a result.
        variables: Environment variables that choose the server and contain secrets.
        secrets: Further values that no result may contain.
    """

    def __init__(self, most: int, variables: Mapping[str, str], secrets: Sequence[str] = ()) -> None:
        self._most = most
        self._environ = {**os.environ, **variables}
        self._secrets = [*own_secrets(sys.argv[1:], self._environ), *secrets]
        self._free = anyio.CapacityLimiter(MOST_AT_ONCE)

    async def run(self, tool: CommandTool, words: Sequence[str]) -> dict[str, Any]:
        """Run a command; `exit_code`, `result`, and where they are not empty `notes` and `left_out`.

        Raises:
            ToolFailed: It failed, took too long or printed too much.
        """
        async with self._free:
            code, out, err = await self._output(words, tool.seconds)
        notes = self._clean(err)
        document = _document(tool, out)
        if document is None or (not out and notes.startswith(ERROR)):
            raise ToolFailed(cut_text(notes or f"{tool.name} exited with {code}", MOST_ERROR_CHARACTERS))
        answer = {"exit_code": code, "result": self._masked(document)}
        if notes:
            answer["notes"] = cut_text(notes, MOST_ERROR_CHARACTERS)
        return bounded(answer, self._most)

    async def _output(self, words: Sequence[str], seconds: float) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *bound_to_parent(own_command(*words)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=self._environ,
        )
        try:
            with anyio.fail_after(seconds):
                out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise ToolFailed(f"{words[0]} was stopped: it took longer than {seconds:g} s") from None
        finally:
            await _end(process)
        return code, out, err

    def _clean(self, text: str) -> str:
        return without(text.strip(), self._secrets)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return without(value, self._secrets)
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        return [self._masked(item) for item in value] if isinstance(value, list) else value


async def _read(stream: asyncio.StreamReader | None) -> str:
    parts, size = [], 0
    while stream is not None and (part := await stream.read(2**16)):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ToolFailed("the output is too large", hint="ask for less: a depth, a limit or a narrower condition")
    return b"".join(parts).decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Stop a process that still runs, as Ctrl-C does, and kill what is left of it."""
    if process.returncode is not None:
        return
    with anyio.CancelScope(shield=True):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with anyio.move_on_after(STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _document(tool: CommandTool, out: str) -> Any:
    """What a command has printed; None if that is no JSON."""
    try:
        if tool.lines:
            return {tool.lines: [json.loads(line) for line in out.splitlines() if line.strip()]}
        return json.loads(out)
    except ValueError:
        return None
