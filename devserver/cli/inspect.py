"""`devserver inspect`: the workflows, activities and Nexus services of a module, with types and docs."""

from __future__ import annotations

import click

from .options.common import json_option
from .options.module_type import ModuleType
from .render.output import echo_json, echo_lines


@click.command()
@click.argument("spec", metavar="MODULE[:NAME]", type=ModuleType("any"))
@json_option
def inspect(spec: str, as_json: bool) -> None:
    """Show the workflows and activities of a module: package.module or path/to/file.py, or one of them with :NAME.

    Prints workflows with their input, output, signals, queries and updates, activities and Nexus services, with their
    types and docs. The module is imported; no server is needed.
    """
    from ..introspection import find

    module = find(spec)
    if as_json:
        from ..introspection.module_json import module_json

        echo_json(module_json(module))
        return
    from .render.module import page

    echo_lines(page(module))
