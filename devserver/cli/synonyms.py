"""Answers unknown commands, options and arguments with the right ones."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Collection, Sequence

from .synonym_tables import COMMANDS, DELETING, OPTIONS, SPELLINGS


def unknown_command(path: str, args: Sequence[str], known: Collection[str]) -> str:
    """The message for the unknown command `args[0]` of the group `path`, whose commands are `known`."""
    word = args[0]
    advice = COMMANDS.get(path, {}).get(word)
    if path == "devserver" and word == "describe" and len(args) > 1:
        advice = _what_to_describe(args[1])
    if advice:
        return f"No such command '{word}': {_filled(advice, args)}"
    near = difflib.get_close_matches(word, sorted(set(known) - DELETING), n=1, cutoff=0.7)
    return f"No such command '{word}'." + (f" Did you mean '{near[0]}'?" if near else f" See: {path} --help")


def _what_to_describe(name: str) -> str:
    """`describe` means a workflow to users of Temporal; a module's name looks like one."""
    if name.endswith(".py") or ":" in name or re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", name):
        return "show a module with: devserver inspect {MODULE}"
    return "show a workflow with: devserver trace {WORKFLOW_ID}"


def _filled(advice: str, args: Sequence[str]) -> str:
    """The advice with what was typed in its places."""
    rest = list(args[1:])

    def value(place: re.Match[str]) -> str:
        if place[1] == "":
            return _harmless(args)
        if place[1] == "options":
            first = next((number for number, word in enumerate(rest) if word.startswith("-")), len(rest))
            return "".join(f" {shlex.quote(word)}" for word in rest[first:])
        if place[1] == "server":
            return _server(rest)
        if rest and rest[0].startswith("-") and place[1].startswith("MODULE"):
            return f"{place[1]} {shlex.join(rest)}"
        return shlex.join(rest) or place[1]

    return re.sub(r"\{([^}]*)\}", value, advice)


def _harmless(args: Sequence[str]) -> str:
    """What was typed; of a command that deletes its --help."""
    end = next((number for number, word in enumerate(args, 1) if word in DELETING), None)
    return shlex.join(args if end is None else [*args[:end], "--help"])


def _server(rest: Sequence[str]) -> str:
    """` --name NAME` for a server that was named, with or without --name."""
    words = [word.removeprefix("--name=") for word in rest if word != "--name"]
    return f" --name {shlex.quote(words[0])}" if words and not words[0].startswith("-") else ""


def unknown_option(name: str, possibilities: Sequence[str], known: Collection[str]) -> str:
    """The message for an unknown option of a command with the options `known`: what to use, or similar options."""
    for needed, advice in OPTIONS.get(name, ()):
        if needed in known:
            return f"No such option '{name}': {advice}"
    near = difflib.get_close_matches(name, possibilities, n=2, cutoff=0.75)
    return f"No such option '{name}'." + (f" Did you mean {' or '.join(near)}?" if near else "")


def unexpected_argument(words: str, path: str) -> str:
    """The message for a word too many of a command without arguments: it is the name of a server."""
    name = shlex.quote(words.split()[0])
    return f"Got unexpected extra argument ({words}). To choose a server use: {path} --name {name}"


def as_typed(text: str, args: Sequence[str]) -> str:
    """A message with options in the spelling that was typed."""
    typed = {word.partition("=")[0] for word in args}
    for name, others in SPELLINGS.items():
        used = [other for other in others if other in typed]
        if used and name not in typed:
            text = re.sub(rf"(?<![\w-]){name}(?![\w-])", used[0], text)
    return text
