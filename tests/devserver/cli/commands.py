"""All commands of the command line, for tests that check every command."""

from __future__ import annotations

from collections.abc import Iterator

import click


def walk(command: click.Command, path: str = "devserver") -> Iterator[tuple[str, click.Command]]:
    """Return a command and all of its subcommands, with the words that call each."""
    yield path, command
    for name, found in getattr(command, "subcommands", {}).items():
        yield from walk(found, f"{path} {name}")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, f"{path} {name}"
            yield from walk(found, f"{path} {name}")
