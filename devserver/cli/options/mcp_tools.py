"""The tools of `devserver mcp`, made of our commands: names, types and descriptions are those of their options."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import click

from ...mcp.tools import MOST_VALUES, CommandTool, ToolParameter

SERVER = ("name", "namespace")
SEARCH = (
    *("activity", "events", "failure", "attempts", "longer", "shorter", "identity", "build_id"),
    *("since", "until", "workflow_type", "status", "query", "open_only", "limit"),
)
LONG_SECONDS = 3600.0
# Names that say more to a client than the parameter of the command does.
NAMES = {"named_id": "workflow_id", "open_only": "open", "events": "event", "files": "file", "namespaces": "namespace"}
FILES = {"files"}


def command_tools() -> list[CommandTool]:
    """All tools."""
    text = _argument("text", "string", "Text to search for in names and failures.")
    module = _argument("module", "string", "Module of the workflows, as orders.workflows or orders.workflows:Order.")
    paths = _argument("paths", "array", "Scenario files, or folders of them.")
    return [
        _tool("status", ("name",)),
        _tool("list", ()),
        _tool("trace", ("named_id", "run_id", "depth", "failures", "files", *SERVER), connects=True),
        _tool("search", (*SEARCH, "files", *SERVER), text, connects=True, lines="hits"),
        _tool("stuck", ("named_id", "query", "max_workflows", "attempts", "waiting", "late", *SERVER), connects=True),
        _tool(
            "replay",
            ("files", "query", "workflow_type", "since", "open_only", "closed", "max_open", *SERVER),
            replace(module, required=True, module=True),
            connects=True,
            seconds=LONG_SECONDS,
        ),
        _tool("up", ("name", "namespaces", "port", "ephemeral"), writes=True, always=("--detach", "--json")),
        _tool("down", ("name",), writes=True),
        _tool(
            "rehearse",
            ("dry_run", "only", "repeat", "seed", "sweep"),
            replace(paths, required=True, path=True),
            writes=True,
            seconds=LONG_SECONDS,
        ),
    ]


def _tool(name: str, options: tuple[str, ...], *arguments: ToolParameter, **values: Any) -> CommandTool:
    from ..main import SHARED

    module = importlib.import_module(f"devserver.cli.{SHARED.get(name, name)}")
    command: click.Command = getattr(module, "list_" if name == "list" else name)
    known = {param.name: param for param in command.params if isinstance(param, click.Option)}
    parameters = [*arguments, *(_parameter(known[option]) for option in options)]
    return CommandTool(name, (name,), _description(command), tuple(parameters), **values)


def _description(command: click.Command) -> str:
    """The help of a command, without what it says of exit codes."""
    paragraphs = (command.help or "").split("\n\n")
    texts = [" ".join(paragraph.split()) for paragraph in paragraphs]
    return "\n".join(text for text in texts if text and not text.startswith("Exits"))


def _argument(name: str, kind: str, description: str) -> ToolParameter:
    return ToolParameter(name, {**_schema(kind), "description": description})


def _parameter(option: click.Option) -> ToolParameter:
    name = str(option.name)
    schema = {**_kind(option), "description": option.help or ""}
    return ToolParameter(
        NAMES.get(name, name),
        schema,
        option=max(option.opts, key=len),
        off=max(option.secondary_opts, key=len, default=""),
        path=name in FILES,
    )


def _kind(option: click.Option) -> dict[str, Any]:
    if option.is_flag:
        return {"type": "boolean"}
    if option.multiple:
        return _schema("array")
    if isinstance(option.type, click.Choice):
        return {"enum": list(option.type.choices)}
    if isinstance(option.type, click.IntRange):
        limits = {"minimum": option.type.min, "maximum": option.type.max}
        return {"type": "integer", **{key: limit for key, limit in limits.items() if limit is not None}}
    return {"type": "integer"} if option.type is click.INT else {"type": "string"}


def _schema(kind: str) -> dict[str, Any]:
    if kind == "array":
        return {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": MOST_VALUES}
    return {"type": kind}
