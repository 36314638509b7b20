"""The parts of an X.509 certificate, as `cryptography` builds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName, KeyUsage, Name
    from cryptography.x509.oid import ObjectIdentifier


def new_key() -> EllipticCurvePrivateKey:
    """A private key: P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def builder(subject: str, key: EllipticCurvePrivateKey, begin: dt.datetime, end: dt.datetime) -> CertificateBuilder:
    """A certificate with a key and a lifetime, without an issuer."""
    from cryptography import x509

    builder = x509.CertificateBuilder().subject_name(name(subject)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def with_usage(builder: CertificateBuilder, *, authority: bool) -> CertificateBuilder:
    """Let a certificate issue others, or not."""
    from cryptography import x509

    constraints = x509.BasicConstraints(ca=authority, path_length=0 if authority else None)
    return builder.add_extension(constraints, critical=True).add_extension(_key_usage(authority), critical=True)


def for_hosts(
    builder: CertificateBuilder, hosts: Sequence[str], purpose: ObjectIdentifier, issuer: EllipticCurvePrivateKey
) -> CertificateBuilder:
    """Name the hosts, the purpose and the issuer's key in a certificate."""
    from cryptography import x509

    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.add_extension(names, critical=False).add_extension(identifier, critical=False)


def _key_usage(authority: bool) -> KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def name(text: str) -> Name:
    """A subject or an issuer."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])  # X.509 allows 64 characters


def _general_name(host: str) -> GeneralName:
    import ipaddress

    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def signed(builder: CertificateBuilder, key: EllipticCurvePrivateKey) -> Certificate:
    """The certificate with the signature of its issuer."""
    from cryptography.hazmat.primitives.hashes import SHA256

    return builder.sign(key, SHA256())


def text(certificate: Certificate) -> str:
    """A certificate in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def key_text(key: EllipticCurvePrivateKey) -> str:
    """A private key in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
