"""`devserver completion`: a shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

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
    from .main import devserver

    complete = SHELLS[shell](devserver, {}, "devserver", "_DEVSERVER_COMPLETE")
    # In bash $1 is the command as it is typed, such as ./devserver, which may be a stranger's file.
    click.echo(complete.source().replace("=bash_complete $1)", "=bash_complete devserver)"))
