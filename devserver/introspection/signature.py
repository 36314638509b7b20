"""The signatures of workflows, handlers and activities, with their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .docstrings import doc_of, parameter_docs
from .hints import MISSING, Field, annotated_doc, bare, hints_of
from .module import Activity, Workflow

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Signature:
    """Parameters in order, and the type of the result (MISSING without a hint).

    `raw` accepts any arguments: a dynamic definition, or one with `*args`.
    """

    parameters: tuple[Field, ...]
    result: Any
    doc: str = ""
    raw: bool = False


def of_workflow(workflow: Workflow) -> Signature:
    """The signature of its run method; the docstring is that of the class, else of the method."""
    found = signature(workflow.definition.run_fn, method=True, dynamic=workflow.name is None)
    return Signature(found.parameters, found.result, doc_of(workflow.cls) or found.doc, found.raw)


def of_handler(definition: Any) -> Signature:
    """The signature of a signal, query or update, from the definition of the SDK."""
    found = signature(definition.fn, method=definition.is_method, dynamic=definition.name is None)
    return Signature(found.parameters, found.result, definition.description or found.doc, found.raw)


def of_activity(activity: Activity) -> Signature:
    """The signature of its function or method."""
    function = activity.function
    if isinstance(function, type):
        return signature(vars(function)["__call__"], method=True, dynamic=activity.name is None)
    if not inspect.isroutine(function):
        found = signature(vars(type(function))["__call__"], method=True, dynamic=activity.name is None)
        return Signature(found.parameters, found.result, doc_of(type(function)) or found.doc, found.raw)
    return signature(function, method=not activity.bound, dynamic=activity.name is None)


def signature(function: Callable[..., Any], *, method: bool, dynamic: bool = False) -> Signature:
    """The signature of any function; of a `method` without its first parameter."""
    hints, docs = hints_of(function), parameter_docs(function)
    parameters = list(inspect.signature(function).parameters.values())[1 if method else 0 :]
    raw = dynamic or any(parameter.kind in _OPEN for parameter in parameters)
    # Temporal passes arguments by position; a keyword-only parameter keeps its default.
    positional = [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    fields = tuple(
        Field(
            parameter.name,
            parameter.name,
            bare(hints.get(parameter.name, Any)),
            parameter.default is parameter.empty,
            MISSING if parameter.default is parameter.empty else parameter.default,
            annotated_doc(hints.get(parameter.name)) or docs.get(parameter.name, ""),
        )
        for parameter in positional
    )
    return Signature(() if raw else fields, bare(hints.get("return", MISSING)), doc_of(function), raw)
