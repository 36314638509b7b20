"""Errors about large payloads. They stand apart so that a process without the Temporal SDK can load them."""

from __future__ import annotations

from ..errors import DevServerError, OptionError


class PayloadError(DevServerError):
    """A large payload cannot be stored or read."""


class PayloadMissing(PayloadError):
    """A history refers to a payload that is not in the folder."""


class PayloadCorrupt(PayloadError):
    """A stored payload is not what was stored, or a reference is not one of devserver's."""


class PayloadTooLarge(PayloadError):
    """A payload is larger than the limit for one payload."""


class PayloadFolderFull(PayloadError):
    """The limit of the folder is reached, or the disk is full."""


class PayloadFolderUnusable(PayloadError):
    """The folder cannot be read or written."""


class PayloadOptionError(OptionError, PayloadError):
    """A size or a folder is invalid, or there is another external storage."""
