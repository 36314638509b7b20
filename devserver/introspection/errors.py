"""What can be wrong with a user's module or a call to a workflow, one class for each case."""

from __future__ import annotations

from ..errors import DevServerError


class IntrospectionError(DevServerError):
    """The module cannot be used."""


class ModuleUnknown(IntrospectionError):
    """The module or file does not exist."""

    exit_code = 2


class ModuleFailed(IntrospectionError):
    """The module, or a factory in it, raises; the details are the user's part of the traceback."""


class ImportInterrupted(IntrospectionError):
    """Ctrl-C while the module was imported; the details say where."""

    exit_code = 130


class NotInModule(IntrospectionError):
    """The module does not contain that name."""

    exit_code = 2


class UnexpectedObject(IntrospectionError):
    """A name stands for an object of another kind than expected, such as no data converter."""

    exit_code = 2


class DuplicateName(IntrospectionError):
    """Two definitions of a module have the same name."""


class InvalidInput(IntrospectionError):
    """The input does not match the parameters of the workflow or handler; the details are further reasons."""

    exit_code = 2


class WorkflowCallRefused(IntrospectionError):
    """The server, or a check before the call, refuses to start, signal, query or update a workflow."""
