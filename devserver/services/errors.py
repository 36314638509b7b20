"""The errors of services."""

from __future__ import annotations

from ..errors import DevServerError, OptionError


class ServiceTaken(DevServerError):
    """A file or another service has the name of this one."""


class ServiceUnknown(DevServerError):
    """There is no service of this name."""

    exit_code = 4


class ServiceUnsupported(OptionError):
    """This operating system, installation or path cannot have a service."""
