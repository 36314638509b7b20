"""`devserver new`: a project to start from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from ..projects import TEMPLATES, Created, Template, create
from .options.common import json_option
from .program_name import as_called
from .render.output import echo_form
from .render.terminal import clean

EXAMPLES = "examples"
WIDTH = max(map(len, TEMPLATES))
EPILOG = "\b\nTemplates:\n" + "\n".join(f"  {name:<{WIDTH}}  {template.line}" for name, template in TEMPLATES.items())


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--template", type=click.Choice(list(TEMPLATES)), default="hello", help="Template of the project; listed below."
)
@json_option
def new(folder: Path | None, template: str, as_json: bool) -> None:
    """Write a project to start from: workflows, tests, CI and settings.

    DIR is a new folder, by default with the template's name, or an existing one. No existing file is changed.
    """
    chosen = TEMPLATES[template]
    created = create(chosen, Path(template) if folder is None else folder)
    if as_json:
        echo_form(template=template, name=created.name, folder=str(created.folder), files=list(created.files))
        return
    click.echo(f"created {clean(str(created.folder))} from the template {template}")
    top = sorted({file.partition("/")[0] + ("/" if "/" in file else "") for file in created.files})
    for name in top:
        click.echo(f"  {name}")
    click.echo("next:")
    for line in _next(created, chosen):
        click.echo(f"  {clean(as_called(line))}")


def _next(created: Created, template: Template) -> Iterator[str]:
    """What to run next; the examples are used from the folder above, as in the docs."""
    folder = created.folder.parent if template.name == EXAMPLES else created.folder
    if folder != Path():
        yield f"cd {shlex.quote(str(folder))}"
    if template.name != EXAMPLES:
        yield "pip install -e '.[test]'"
    for line in template.try_it:
        yield line.replace(f"{EXAMPLES}/", f"{shlex.quote(created.folder.name)}/")
