"""Groups of commands: unknown commands are answered with the right ones; commands are imported when called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from .program_name import USUAL, CalledContext

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SAME_WORDS = {"ls": "list", "ps": "list"}


class CommandGroup(click.Group):
    """A group that answers an unknown command with the right one.

    Args:
        aliases: Other names of its commands, which --help does not list.
    """

    context_class = CalledContext

    def __init__(self, *args: Any, aliases: Mapping[str, str] | None = None, **values: Any) -> None:
        super().__init__(*args, **values)
        self.aliases = {**SAME_WORDS, **(aliases or {})}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, after `help [COMMAND]` has become `[COMMAND] --help`."""
        if args[:1] == ["help"] and "help" not in self.list_commands(ctx):
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does, also by the aliases; the message for an unknown command says what to type."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and self.aliases.get(args[0]) in known:
            args = [self.aliases[args[0]], *args[1:]]
        if args and args[0] not in known and not args[0].startswith("-"):
            from .synonyms import unknown_command

            called = ctx.find_root().info_name or ""
            ctx.fail(unknown_command(USUAL + ctx.command_path.removeprefix(called), args, known))
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command.context_class = CalledContext
        return name, command, rest


class LazyGroup(CommandGroup):
    """A group whose commands are modules of a package, imported when called.

    Args:
        package: The package.
        sections: Title -> name -> line of --help. The function has the command's name; `list_`, `import_`.
        unlisted: More commands, which --help does not list.
        modules: Modules of commands that are not in the package under their own name.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        sections: Mapping[str, Mapping[str, str]],
        unlisted: Mapping[str, str] | None = None,
        modules: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(*args, **values)
        self._package = package
        self._sections = sections
        self._modules = modules or {}
        self._lines = {name: line for section in sections.values() for name, line in section.items()}
        self._lines |= unlisted or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer needs them."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        if cmd_name not in self._lines:
            return None
        module = importlib.import_module(f".{self._modules.get(cmd_name, cmd_name)}", self._package)
        function = f"{cmd_name}_" if cmd_name in ("list", "import") else cmd_name.replace("-", "_")
        command: click.Command = getattr(module, function)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names of the commands for a shell, from the table: as for --help, none is imported."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=line) for name, line in self._lines.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, from the table."""
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))
