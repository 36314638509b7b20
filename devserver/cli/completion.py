"""`devserver completion`: a shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from .program_name import program_name

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print a shell's completion script.

    \b
    bash:  eval "$(devserver completion bash)"       in ~/.bashrc
    zsh:   eval "$(devserver completion zsh)"        in ~/.zshrc
    fish:  devserver completion fish | source        in ~/.config/fish/config.fish
    """
    from .main import COMPLETE, devserver

    name = program_name().split()[-1]
    complete = SHELLS[shell](devserver, {}, name, COMPLETE)
    # In bash $1 is the command as it is typed, such as ./devserver, which may be a stranger's file.
    click.echo(complete.source().replace("=bash_complete $1)", f"=bash_complete {name})"))
