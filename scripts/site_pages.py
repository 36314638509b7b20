"""Pages of the site that are made of the code: all options of all commands, and all error messages."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from devserver.cli.main import devserver as root_group

PLACE = "…"


def options_page() -> str:
    """Every command with its usage, its help and its options, from click."""
    lines = [
        "# All options",
        "",
        "Every command with its options, as `--help` shows them. [Commands](commands.md) explains what they are for.",
        "",
    ]
    context = click.Context(root_group, info_name="devserver")
    for path, command, own in _commands(root_group, context):
        lines += [f"## `{path}`", "", _text(command.help or ""), "", f"```text\n{_usage(command, own)}\n```", ""]
        records = [record for param in command.get_params(own) if (record := _record(param, own))]
        if records:
            lines += ["| option | meaning |", "|---|---|"]
            lines += [f"| {_names(names)} | {_cell(text)} |" for names, text in records]
            lines += [""]
    return "\n".join(lines)


def _commands(group: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    if not isinstance(group, click.Group):
        return
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        own = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, own)
        else:
            yield own.command_path, command, own


def _usage(command: click.Command, context: click.Context) -> str:
    pieces = " ".join(command.collect_usage_pieces(context))
    return f"{context.command_path} {pieces}"


def _record(param: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    """The names and the help of an option, or of an argument that has a help text."""
    record = param.get_help_record(context)
    return None if record is None or not record[1] or "--help" in param.opts else record


def _names(names: str) -> str:
    return f"`{names}`"


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _text(help_text: str) -> str:
    paragraphs = inspect.cleandoc(help_text.partition("\f")[0]).split("\n\n")
    kept = [
        "```text\n" + part.replace("\b\n", "") + "\n```" if part.lstrip().startswith("\b") else _escaped(part)
        for part in paragraphs
    ]
    return "\n\n".join(kept)


def _escaped(text: str) -> str:
    """Text in which Markdown and HTML find nothing, except code."""
    pieces = re.split(r"(`[^`]*`)", text)
    pieces[::2] = [re.sub(r"([\\<>*_\[\]#])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def messages_page(root: Path) -> str:
    """Every error message of the code, with what to do about it."""
    found: dict[str, set[str]] = defaultdict(set)
    names = set(re.findall(r"(?m)^### (\w+)$", (root / "docs" / "errors.md").read_text(encoding="utf-8")))
    for package in ("devserver", "temporaltest"):
        for file in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in names
                    and node.args
                ):
                    text = _message(node.args[0])
                    if len(re.sub(r"[^a-z]", "", text)) > 5:
                        found[text].add(node.func.id)
    rows = sorted(found.items(), key=lambda row: re.sub(r"\W", "", row[0]).lower())
    lines = [
        "# All messages",
        "",
        f"Find your message, and follow the link to what it means and what to do. `{PLACE}` stands for a value.",
        "",
        "| message | error |",
        "|---|---|",
    ]
    for text, classes in rows:
        links = ", ".join(f"[{name}](errors.md#{name.lower()})" for name in sorted(classes))
        lines.append(f"| {_cell(text)} | {links} |")
    return "\n".join([*lines, ""])


def _message(node: ast.expr) -> str:
    """The words of a message; what is computed is `…`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_message(value) for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _message(node.left) + _message(node.right)
    return PLACE
