"""The network's own certificate authority: one server certificate, one client certificate a node.

Certificates carry ECDSA P-256 keys (RFC 5480), which every TLS library and browser takes; the keys
that sign envelopes are others. A node's private key never leaves the node: it sends a request
(PKCS #10), the coordinator signs it. A certificate is only worth something while the coordinator's
database lists it, so that a revocation holds from the next request on, without a revocation list.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from entrepot.durable import create_private
from entrepot.errors import ConfigurationError

NODE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
AUTHORITY_DAYS, SERVER_DAYS, NODE_DAYS = 3650, 397, 397  # 397: browsers take no longer one
_SKEW = dt.timedelta(minutes=5)  # clocks of hospitals differ


def create_authority(folder: Path, name: str, now: dt.datetime) -> None:
    """Writes `ca.pem` and `keys/ca.key.pem`.

    Raises:
        ConfigurationError: there is one already.
    """
    key = _new_key(folder / "keys" / "ca.key.pem")
    subject = _name(f"{name} entrepot authority")
    built = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(_identifier(key.public_key()), critical=False)
    )
    (folder / "ca.pem").write_bytes(built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def create_server(folder: Path, names: Sequence[str], now: dt.datetime) -> None:
    """Writes `server.pem` and `keys/server.key.pem` for these host names and addresses.

    Raises:
        ConfigurationError: there is one already, or no authority.
    """
    key = _new_key(folder / "keys" / "server.key.pem")
    alternatives = x509.SubjectAlternativeName([_alternative(one) for one in names])
    pem = _issue(
        folder, _name(names[0]), key.public_key(), now,
        (SERVER_DAYS, ExtendedKeyUsageOID.SERVER_AUTH, alternatives),
    )  # fmt: skip
    (folder / "server.pem").write_bytes(pem)


def create_request(name: str, key_file: Path) -> bytes:
    """A new key at the node, and the request (PEM) for its certificate.

    Args:
        name: the node's; lower case letters, figures and `-`.

    Raises:
        ConfigurationError: another spelling, or the key file is there already.
    """
    _check_name(name)
    key = _new_key(key_file)
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(name))
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def issue_node(folder: Path, name: str, request: bytes, now: dt.datetime) -> bytes:
    """The client certificate (PEM) that answers a node's request.

    Only its public key is taken from the request: the name is the one that the coordinator gives.

    Raises:
        ConfigurationError: no request, not signed by its own key, another kind of key, or a name
            of another spelling.
    """
    _check_name(name)
    try:
        asked = x509.load_pem_x509_csr(request)
        public = asked.public_key()
    except ValueError:
        raise _bad_request() from None
    if not asked.is_signature_valid or not isinstance(public, ec.EllipticCurvePublicKey):
        raise _bad_request()
    alternative = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(f"urn:entrepot:node:{name}")]
    )
    kind = (NODE_DAYS, ExtendedKeyUsageOID.CLIENT_AUTH, alternative)
    return _issue(folder, _name(name), public, now, kind)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's DER form (given as PEM or DER), in hexadecimal."""
    der = certificate
    if certificate.lstrip().startswith(b"-----BEGIN"):
        der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


_Kind = tuple[int, x509.ObjectIdentifier, x509.SubjectAlternativeName]


def _issue(
    folder: Path, subject: x509.Name, public: ec.EllipticCurvePublicKey, now: dt.datetime,
    kind: _Kind,
) -> bytes:  # fmt: skip
    key, authority = _authority(folder)
    days, usage, alternatives = kind
    built = (
        _builder(subject, authority.subject, public, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        .add_extension(alternatives, critical=False)
        .add_extension(_identifier(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = load_pem_private_key((folder / "keys" / "ca.key.pem").read_bytes(), password=None)
        authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the authority cannot be read ({error.strerror})", where=str(folder),
            remedy="entrepot coordinator init makes it",
        ) from None  # fmt: skip
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("not the authority's key", where=str(folder / "keys"))
    return key, authority


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:  # fmt: skip
    return x509.CertificateBuilder(
        issuer, subject, public, x509.random_serial_number(), now - _SKEW,
        now + dt.timedelta(days=days),
    )  # fmt: skip


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _identifier(public: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(public)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        create_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise ConfigurationError(
            f"the key cannot be written ({error.strerror})", where=str(path),
            remedy="give a path where no file is yet",
        ) from None  # fmt: skip
    return key


def _check_name(name: str) -> None:
    if not NODE_NAME.fullmatch(name):
        raise ConfigurationError(
            "a node's name has lower case letters, figures and - (at most 40)",
            remedy="name the node as its site: chu-nord",
        )


def _bad_request() -> ConfigurationError:
    return ConfigurationError(
        "not a certificate request (PKCS #10 in PEM, elliptic curve key, signed by itself)",
        remedy="make it at the node, which keeps the private key",
    )
