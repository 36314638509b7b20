"""What can be wrong with a user's module, one class per case."""

from __future__ import annotations

from ..errors import DevServerError


class ReflectionError(DevServerError):
    """A module cannot be used as it is."""


class ModuleUnknown(ReflectionError):
    """There is no such module or file."""

    exit_code = 2


class ModuleFails(ReflectionError):
    """The module, or a factory in it, raises; the details hold the user's part of the traceback."""


class ModuleInterrupted(ReflectionError):
    """Ctrl-C came while the module was imported; the details hold where it was."""

    exit_code = 130


class NotInModule(ReflectionError):
    """The module has nothing of that name."""

    exit_code = 2


class WrongKind(ReflectionError):
    """What a name stands for is not what is wanted there."""

    exit_code = 2


class NameClash(ReflectionError):
    """Two definitions of a module go by one name."""


class InputInvalid(ReflectionError):
    """What is to be sent does not fit what the workflow or handler takes; the details hold every further reason."""

    exit_code = 2


class NotDone(ReflectionError):
    """A workflow was not started, signalled, queried or updated, for a reason that lies in the call."""
