"""Tools: each is a command of ours with `--json`, and the options of it that a client may give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ToolRefused

LONGEST_TEXT = 10_000
MOST_VALUES = 100
MOST_ERRORS = 5


@dataclass(frozen=True)
class ToolParameter:
    """A value that a client may give.

    Attributes:
        name: Its name in the arguments of a call.
        schema: Its JSON schema, with a description.
        option: The option of the command; empty for a positional argument.
        off: The option for false, of a flag that has one.
        path: Whether it names files, which have to be in the project's folder.
        module: Whether it names a module, whose code the command runs.
    """

    name: str
    schema: Mapping[str, Any]
    option: str = ""
    off: str = ""
    required: bool = False
    path: bool = False
    module: bool = False

    def words(self, value: Any) -> list[str]:
        """The words of the command line for a value."""
        if isinstance(value, bool):
            chosen = self.option if value else self.off
            return [chosen] if chosen else []
        values = value if isinstance(value, list) else [value]
        return [f"{self.option}={item}" if self.option else str(item) for item in values]


@dataclass(frozen=True)
class CommandTool:
    """A tool that runs a command.

    Attributes:
        name: Its name.
        command: The words that call the command.
        description: What it does.
        parameters: What a client may give.
        writes: Whether it starts or changes something.
        connects: Whether the command takes the options that choose a server.
        lines: For a command that prints a document on each line: the key of their list.
        seconds: How long it may take.
    """

    name: str
    command: tuple[str, ...]
    description: str
    parameters: tuple[ToolParameter, ...] = ()
    writes: bool = False
    connects: bool = False
    lines: str = ""
    seconds: float = 300
    always: tuple[str, ...] = field(default=("--json",))

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        return {
            "type": "object",
            "properties": {parameter.name: dict(parameter.schema) for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters if parameter.required],
            "additionalProperties": False,
        }

    def words(self, arguments: Mapping[str, Any], connection: Sequence[str], folder: Path) -> list[str]:
        """The command line for the arguments of a call.

        Raises:
            ToolRefused: They are not what the tool takes.
        """
        self._check(arguments)
        options: list[str] = []
        positional: list[str] = []
        for parameter in self.parameters:
            if parameter.name not in arguments:
                continue
            value = arguments[parameter.name]
            if parameter.path:
                _require_inside(value if isinstance(value, list) else [value], folder)
            (options if parameter.option else positional).extend(parameter.words(value))
        chosen = list(connection) if self.connects else []
        return [*self.command, *self.always, *chosen, *options, *(["--", *positional] if positional else [])]

    def _check(self, arguments: Mapping[str, Any]) -> None:
        import jsonschema

        found = jsonschema.Draft7Validator(self.schema()).iter_errors(dict(arguments))
        errors = [_shown(error) for error, _ in zip(found, range(MOST_ERRORS), strict=False)]
        if errors:
            names = ", ".join(parameter.name for parameter in self.parameters) or "none"
            raise ToolRefused(f"wrong arguments of {self.name}", details=errors, hint=f"it takes: {names}")
        for name, value in arguments.items():
            for item in value if isinstance(value, list) else [value]:
                _require_text(name, str(item))


def _shown(error: Any) -> str:
    place = ".".join(map(str, error.absolute_path))
    text = error.message if len(error.message) <= 200 else f"{error.message[:200]}..."
    return f"{place}: {text}" if place else text


def _require_text(name: str, text: str) -> None:
    if "\0" in text or len(text) > LONGEST_TEXT or any("\ud800" <= character <= "\udfff" for character in text):
        raise ToolRefused(
            f"{name} is no usable text", hint=f"give at most {LONGEST_TEXT:,} characters of UTF-8 without a zero byte"
        )


def _require_inside(paths: Sequence[str], folder: Path) -> None:
    for path in paths:
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise ToolRefused(f"{path} is not in the project's folder", hint=f"name a file or folder below {folder}")
