"""Certificates for tests of TLS."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder, name, *, trusted):
    """Writes ``certificate.pem`` for a host and ``key.pem``; signed by itself, or by an authority that is not in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer = (_name(n) for n in (name, name if trusted else "authority"))
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=trusted, path_length=None), critical=True)
        .sign(key if trusted else ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )  # fmt: skip
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "certificate.pem", folder / "key.pem"


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
