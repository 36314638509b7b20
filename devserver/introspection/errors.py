"""What can be wrong with a user's module, one class per case."""

from __future__ import annotations

from ..errors import DevServerError


class IntrospectionError(DevServerError):
    """A module cannot be used as it is."""


class ModuleUnknown(IntrospectionError):
    """There is no such module or file."""

    exit_code = 2


class ModuleFailed(IntrospectionError):
    """The module, or a factory in it, raises; the details hold the user's part of the traceback."""


class ImportInterrupted(IntrospectionError):
    """Ctrl-C came while the module was imported; the details hold where it was."""

    exit_code = 130


class NotInModule(IntrospectionError):
    """The module has nothing of that name."""

    exit_code = 2


class UnexpectedObject(IntrospectionError):
    """What a name stands for is not what is wanted there."""

    exit_code = 2


class DuplicateName(IntrospectionError):
    """Two definitions of a module go by one name."""


class InvalidInput(IntrospectionError):
    """What is to be sent does not fit what the workflow or handler takes; the details hold every further reason."""

    exit_code = 2


class WorkflowCallRefused(IntrospectionError):
    """A workflow was not started, signalled, queried or updated, for a reason that lies in the call."""
