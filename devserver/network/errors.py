"""The errors of the TLS port of a server."""

from __future__ import annotations

from ..errors import DevServerError


class TlsMissing(DevServerError):
    """The packages of the extra `tls` are not installed."""


class CertificatesDamaged(DevServerError):
    """The files of an instance's own certificate authority are damaged or incomplete."""
