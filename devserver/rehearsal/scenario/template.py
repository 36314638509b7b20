"""Writes a first scenario for a runbook: it runs as it is, and is meant to be edited."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import typing
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ...introspection.module_scan import WORKFLOW
from ..errors import ScenarioInvalid
from .runbook import Runbook, workflow_type

PLAIN = {str: '"..."', int: "1", float: "1.0", bool: "False", bytes: 'b""', list: "[]", dict: "{}", tuple: "()"}

TEXT = '''"""Rehearses {workflow}: what if the server dies, the worker dies, or an answer is lost in the middle of it?

Run it with: devserver rehearse {file}
"""

from devserver.rehearsal import Scenario, at, expect, faults
{imports}
RUNBOOK = {{
    "runbook": "{module}",
    "workflow": "{workflow}",
{input}    "expect": [
        expect.completes(within=60),
        expect.same_result(),
        expect.replays(),
{effects}
    ],
}}

{scenarios}
'''

NO_EFFECTS = """
        # Add `ledger.effect("name", key=...)` to an activity, right after its side effect, to check:
        # expect.exactly_once("name"),
""".strip("\n")

ONE = """{name} = Scenario(
    name="{workflow}: {what}",
    plan=[{step}],
    **RUNBOOK,
)
"""


def first_scenario(module: str, file: Path, effects: Sequence[str] = ()) -> str:
    """The text of a scenario file for the last workflow that a module defines: earlier ones are often its parts.

    Args:
        module: The runbook's module.
        file: The scenario file, for the command in its docstring.
        effects: The names of the side effects that must happen exactly once.

    Raises:
        ScenarioInvalid: The module cannot be imported, or has no workflow.
    """
    runbook = Runbook.load(module)
    workflow = runbook.workflows[-1]  # its parts are defined before it
    kind = workflow_type(workflow)
    imports, value = _input(workflow)
    activity = next(iter(runbook.activities), None)
    return TEXT.format(
        workflow=kind,
        module=module,
        file=file,
        imports="".join(f"from {home} import {', '.join(sorted(names))}\n" for home, names in sorted(imports.items())),
        input=f'    "args": [{value}],\n' if value else "",
        effects="\n".join(f"        expect.exactly_once({quoted(name)})," for name in effects) or NO_EFFECTS,
        scenarios="\n".join(_scenarios(kind, activity)),
    )


def write_first(module: str, file: Path) -> None:
    """Write a first scenario into a new file.

    Raises:
        ScenarioInvalid: The file exists or cannot be written, or the module is not a runbook.
    """
    text = first_scenario(module, file)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise ScenarioInvalid(f"{file} already exists", hint="choose another file") from None
    except OSError as error:
        raise ScenarioInvalid(f"cannot write {file}: {error.strerror}") from None


def quoted(text: str) -> str:
    """A text as a string literal with double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _scenarios(workflow: str, activity: str | None) -> list[str]:
    if activity is None:
        step = 'at.event("WorkflowTaskCompleted").do(faults.kill_server(down=1))'
        return [ONE.format(name="server_dies", workflow=workflow, what="the server dies", step=step)]
    return [
        ONE.format(name=name, workflow=workflow, what=what, step=f'at.{moment}("{activity}").do(faults.{fault})')
        for name, what, moment, fault in (
            ("server_dies", "the server dies", "activity_starts", "kill_server(down=1)"),
            ("worker_dies", "the worker dies", "activity_starts", "kill_worker(down=1)"),
            ("answer_lost", "an answer is lost", "activity_completes", "lose_answer()"),
        )
    ]


def _input(workflow: type) -> tuple[dict[str, set[str]], str]:
    """Imports and example arguments for a workflow, as Python source."""
    run = getattr(workflow, WORKFLOW).run_fn
    try:
        types = typing.get_type_hints(run)
    except Exception as error:
        raise ScenarioInvalid(f"cannot read the parameter types of {workflow.__name__}: {error}") from error
    imports: dict[str, set[str]] = {}
    wanted = list(inspect.signature(run).parameters.values())[1:]  # all parameters, also those without a type
    return imports, ", ".join(_value(item, types.get(item.name, Any), imports) for item in wanted)


def _value(parameter: inspect.Parameter, kind: Any, imports: dict[str, set[str]]) -> str:
    """The default of a parameter if it can be written as source, else an example."""
    if parameter.default is None or type(parameter.default) in PLAIN:
        return repr(parameter.default)
    return _example(kind, imports)


def _example(kind: Any, imports: dict[str, set[str]]) -> str:
    """An example value of a type as Python source; `...` if the user must fill it in."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and of:
        return f"[{_example(of[0], imports)}]"
    if origin in PLAIN:
        return PLAIN[origin]
    if origin is not None and type(None) in of:
        return "None"
    if not isinstance(kind, type):
        return "..."
    if issubclass(kind, (timedelta, datetime, date)):
        imports.setdefault("datetime", set()).add(kind.__name__)
        return f"{kind.__name__}({'hours=1' if kind is timedelta else '2026, 1, 1'})"
    if "." in kind.__qualname__:
        return "..."
    if issubclass(kind, enum.Enum):
        imports.setdefault(kind.__module__, set()).add(kind.__name__)
        return f"{kind.__name__}.{next(iter(kind)).name}"
    if dataclasses.is_dataclass(kind):
        imports.setdefault(kind.__module__, set()).add(kind.__name__)
        types = typing.get_type_hints(kind)
        fields = [field for field in dataclasses.fields(kind) if field.init and _required(field)]
        return (
            f"{kind.__name__}({', '.join(f'{field.name}={_example(types[field.name], imports)}' for field in fields)})"
        )
    return "..."


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
