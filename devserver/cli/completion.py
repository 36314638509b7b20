"""`devserver completion`: a shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a shell's completion script.

    \b
    bash:  eval "$(devserver completion bash)"       in ~/.bashrc
    zsh:   eval "$(devserver completion zsh)"        in ~/.zshrc
    fish:  devserver completion fish | source        in ~/.config/fish/config.fish
    """
    from .main import devserver

    cls = get_completion_class(shell)
    assert cls is not None
    click.echo(cls(devserver, {}, "devserver", "_DEVSERVER_COMPLETE").source())
