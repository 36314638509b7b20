"""What can go wrong with large payloads, one class per case."""

from __future__ import annotations

from ..errors import DevServerError, OptionError


class PayloadError(DevServerError):
    """A large payload cannot be stored or read."""


class PayloadMissing(PayloadError):
    """A history refers to a payload that is not in the folder."""


class PayloadCorrupt(PayloadError):
    """What the folder holds is not what was stored, or a history's reference is not one of ours."""


class PayloadTooLarge(PayloadError):
    """A payload is larger than one may be."""


class PayloadFolderFull(PayloadError):
    """The folder's limit is reached, or the disk is full."""


class PayloadFolderUnusable(PayloadError):
    """The folder cannot be read or written."""


class PayloadOptionError(OptionError, PayloadError):
    """A size or a folder that cannot be used, or a second external storage."""
