"""Checks what commands print with --json against the schemas that `devserver config schema` prints."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

from devserver.schemas import schema_names, schema_text

CLUSTER_WORDS = (
    *("up", "status", "start", "stop", "restart", "kill", "freeze", "thaw", "cut", "slow", "heal", "fill-disk"),
    *("free-disk", "add-node", "decommission", "remove-node", "delete-node", "black-hole", "reconnect"),
)
# The first words of a command -> the name of its schema, where it is not these words with dashes.
NAMES: dict[tuple[str, ...], str] = {
    ("up",): "status",
    ("restart",): "status",
    ("snapshot", "save"): "snapshot",
    ("snapshot", "import"): "snapshot",
    ("workflow", "trace"): "trace",
    ("workflow", "search"): "search",
    ("workflow", "stuck"): "stuck",
    ("workflow", "replay"): "replay",
    ("rehearse", "compare"): "rehearsal-comparison",
    ("rehearse", "index"): "rehearsal-index",
    ("rehearse",): "rehearsal-report",
    ("gameday", "run"): "debrief",
    ("deployment", "set-current"): "deployment-change",
    ("deployment", "ramp"): "deployment-change",
    ("deployment", "rollback"): "deployment-change",
    ("binary",): "binary-list",
    ("service", "install"): "service",
    ("service", "remove"): "service",
    ("service", "status"): "service",
    **{("cluster", word): "cluster-status" for word in CLUSTER_WORDS},
}
# Options with which a command prints another document.
OTHER_DOCUMENTS = {
    ("rehearse", "--dry-run"): "rehearsal-plan",
    ("trust", "--list"): "trust-list",
    ("rehearse", "--init"): None,
    ("trace", "--otlp"): None,
    ("trace", "--follow"): None,
    ("trace", "-f"): None,
    ("schema", "--list"): None,
}


def schema_of(args: Sequence[str]) -> str | None:
    """The name of the schema of what a command line with `--json` prints; None if there is none."""
    for (command, option), other in OTHER_DOCUMENTS.items():
        if command in args[:2] and option in args:
            return other
    for words in (tuple(args[:2]), tuple(args[:1])):
        name = NAMES.get(words, "-".join(words))
        if name in schema_names():
            return name
    return None


def check_output(args: Sequence[str], text: str) -> None:
    """Fail if what a command line printed does not fit its schema: one document, or one on each line."""
    name = schema_of(args)
    if name is None or not text.strip():
        return
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    for document in documents:
        if "error" not in document:  # what was printed in place of a refresh that failed
            check_document(name, document)


def check_document(name: str, document: Any) -> None:
    """Fail if a document does not fit the schema with that name."""
    problems = [f"{error.json_path}: {error.message[:300]}" for error in _validator(name).iter_errors(document)]
    assert not problems, f"the schema {name} does not fit: {problems}"


@functools.cache
def _validator(name: str) -> Any:
    from jsonschema import Draft7Validator

    return Draft7Validator(json.loads(schema_text(name)))
