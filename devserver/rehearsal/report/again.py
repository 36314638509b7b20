"""How to run a rehearsal again elsewhere: its command without paths of this machine, and its scenario as code."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path
from typing import Any

from ...server.namespaces import DEFAULT_NAMESPACE
from ...system.web_ui import workflow_url
from ..scenario.result import RehearsalRun, Result
from .text import NAME_CHARACTERS, clean

MOST_CODE = 6000  # characters
CHECKOUT = ("pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg")
KEPT_PORT, KEPT_UI_PORT = 7533, 8533
ITS_FOLDER = "the folder of the scenario"


def command_line(result: Result) -> tuple[str, str | None]:
    """The command that runs the same rehearsal with the same seed, and the folder to run it in (None: any of it).

    The path of the scenario's file is relative to the current folder, or else its name.
    """
    name, folder = ("SCENARIO.py", None) if result.file is None else _place(Path(result.file))
    words = ["devserver", "rehearse", name, "--only", result.name, "--seed", str(result.seed)]
    if result.sweep:
        words += ["--sweep", result.sweep.target]
    return shlex.join(clean(word) for word in words), folder


def kept_server(run: RehearsalRun, database: Path) -> dict[str, str]:
    """How to look at the server that a rehearsal kept: the command that starts it, and its Web UI once it runs."""
    ports = ["--port", str(KEPT_PORT), "--ui-port", str(KEPT_UI_PORT)]
    words = ["devserver", "up", "--name", "rehearsal", "--db-filename", str(database), *ports]
    run_id = run.histories[-1].run_id if run.histories else None
    page = workflow_url(f"http://127.0.0.1:{KEPT_UI_PORT}", DEFAULT_NAMESPACE, run.workflow_id, run_id)
    page += "/history" if run.histories else ""
    return {"command": shlex.join(clean(word) for word in words), "web_ui": page}


def _place(file: Path) -> tuple[str, str | None]:
    """The file from the current folder, and where in its checkout that folder is."""
    here = Path.cwd()
    if not file.is_relative_to(here):
        return file.name, ITS_FOLDER
    root = next(
        (folder for folder in (here, *here.parents) if any((folder / name).exists() for name in CHECKOUT)), None
    )
    place = None if root is None or root == here else f"{here.relative_to(root).as_posix()} of {root.name}"
    return file.relative_to(here).as_posix(), None if place is None else clean(place, NAME_CHARACTERS)


def scenario_code(result: Result) -> dict[str, Any] | None:
    """The statement that defines the scenario: `file` (its name), `line` and `text`; None if it cannot be found."""
    if result.file is None:
        return None
    file = Path(result.file)
    try:
        source = file.read_text("utf-8")
        statements = ast.parse(source).body
    except (OSError, ValueError, SyntaxError):
        return None
    for statement in statements:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and _names(statement, result.name):
            text = ast.get_source_segment(source, statement) or ""
            return {
                "file": clean(file.name, NAME_CHARACTERS),
                "line": statement.lineno,
                "text": clean(text, MOST_CODE),
            }
    return None


def _names(statement: ast.AST, name: str) -> bool:
    """Whether a statement calls something with this name."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    values = [value for call in calls for value in (*call.args, *(keyword.value for keyword in call.keywords))]
    return any(isinstance(value, ast.Constant) and value.value == name for value in values)
