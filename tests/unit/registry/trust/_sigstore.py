"""A sigstore of its own: an authority, a certificate log, a transparency log and a trusted root, all made here.

What it makes is what the public one makes, byte for byte of the same formats, with other keys: certificates with an
embedded timestamp of the log (RFC 6962), entries with a proof of inclusion, a signed checkpoint and a promise.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WORKFLOW = "https://git.example/acme/vendas/.ci/publish.yml@refs/tags/v1"
ISSUER = "https://tokens.git.example"

_ISSUER_OID = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_SCT_OID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ECDSA = ec.ECDSA(SHA256())
_NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


class FakeSigstore:
    """Signs whatever it is asked to, for whomever."""

    def __init__(self) -> None:
        self._ca_key, self._ct_key, self._log_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
        builder = self._certificate(name, name, self._ca_key, days=3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        builder = builder.add_extension(_key_id(self._ca_key), critical=False)
        self._ca = builder.sign(self._ca_key, SHA256())

    def write_root(self, path: Path) -> Path:
        """Write the trusted root."""
        name = {"organization": "tests", "commonName": "an authority of the tests"}
        period = {"start": _time(_NOW - datetime.timedelta(days=1))}
        ca = {
            "subject": name,
            "uri": "https://fulcio.example",
            "certChain": {"certificates": [{"rawBytes": _b64(self._ca.public_bytes(Encoding.DER))}]},
            "validFor": period,
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self._log_key, "https://rekor.example", period)],
            "certificateAuthorities": [ca],
            "ctlogs": [_log(self._ct_key, "https://ct.example", period)],
        }
        path.write_text(json.dumps(root), "utf-8")
        return path

    def sign(self, archive: bytes, *, subject: str = WORKFLOW, issuer: str = ISSUER) -> bytes:
        """Return a bundle that signs bytes."""
        key, cert = self._leaf(subject, issuer)
        signature = key.sign(archive, _ECDSA)
        digest = hashlib.sha256(archive)
        entry = {
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": digest.hexdigest()}},
                "signature": {"content": _b64(signature), "publicKey": {"content": _pem(cert)}},
            },
        }
        content = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": _b64(digest.digest())},
            "signature": _b64(signature),
        }
        return self._bundle(cert, entry, messageSignature=content)

    def attest(self, statement: Any, *, payload_type: str = "application/vnd.in-toto+json") -> bytes:
        """Return a bundle that signs a statement in an envelope."""
        key, cert = self._leaf(WORKFLOW, ISSUER)
        payload = json.dumps(statement).encode()
        kind = payload_type.encode()
        signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload), _ECDSA)
        entry = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                "signatures": [{"signature": _b64(signature), "verifier": _pem(cert)}],
            },
        }
        envelope = {
            "payload": _b64(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": _b64(signature), "keyid": ""}],
        }
        return self._bundle(cert, entry, dsseEnvelope=envelope)

    # --- the parts ---

    def _bundle(self, cert: x509.Certificate, entry: Any, **content: Any) -> bytes:
        material = {
            "certificate": {"rawBytes": _b64(cert.public_bytes(Encoding.DER))},
            "tlogEntries": [self._entry(entry)],
        }
        kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
        return json.dumps({"mediaType": kind, "verificationMaterial": material, **content}).encode()

    def _leaf(self, subject: str, issuer: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """Make a certificate of ten minutes, timestamped by the certificate log before it is issued."""
        key = ec.generate_private_key(ec.SECP256R1())
        name: x509.GeneralName = (
            x509.RFC822Name(subject) if "://" not in subject else x509.UniformResourceIdentifier(subject)
        )
        builder = self._certificate(x509.Name([]), self._ca.subject, key, minutes=10)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        builder = builder.add_extension(_key_id(key), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key())
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=True)
        builder = builder.add_extension(x509.UnrecognizedExtension(_ISSUER_OID, issuer.encode()), critical=False)
        before = builder.sign(self._ca_key, SHA256()).tbs_certificate_bytes
        stamp = x509.UnrecognizedExtension(_SCT_OID, self._timestamp(before))
        return key, builder.add_extension(stamp, critical=False).sign(self._ca_key, SHA256())

    def _timestamp(self, certificate: bytes) -> bytes:
        ms = int(_NOW.timestamp() * 1000)
        entry = _log_id(self._ca_key) + len(certificate).to_bytes(3, "big") + certificate
        signature = self._ct_key.sign(struct.pack("!BBQH", 0, 0, ms, 1) + entry + b"\0\0", _ECDSA)
        stamp = b"\0" + _log_id(self._ct_key) + struct.pack("!QH", ms, 0) + b"\4\3" + _sized(signature)
        listed = _sized(_sized(stamp))
        return b"\4" + (bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])) + listed

    def _entry(self, entry: Any) -> dict[str, Any]:
        """Log an entry: the only one of its log, and so the root of the tree."""
        body = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        root = hashlib.sha256(b"\0" + body).digest()
        time = int(_NOW.timestamp())
        key_id = _log_id(self._log_key)
        note = f"rekor.example - 1\n1\n{_b64(root)}\n"
        signed = _b64(key_id[:4] + self._log_key.sign(note.encode(), _ECDSA))
        promised = {"body": _b64(body), "integratedTime": time, "logID": key_id.hex(), "logIndex": 0}
        promise = self._log_key.sign(json.dumps(promised, sort_keys=True, separators=(",", ":")).encode(), _ECDSA)
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(key_id)},
            "kindVersion": {"kind": entry["kind"], "version": entry["apiVersion"]},
            "integratedTime": str(time),
            "inclusionPromise": {"signedEntryTimestamp": _b64(promise)},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 rekor.example {signed}\n"},
            },
            "canonicalizedBody": _b64(body),
        }

    def _certificate(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, **lasts: float
    ) -> x509.CertificateBuilder:
        start = _NOW - datetime.timedelta(minutes=5)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(**lasts))
        )


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def _key_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _log(key: ec.EllipticCurvePrivateKey, url: str, period: dict[str, str]) -> dict[str, Any]:
    public = {
        "rawBytes": _b64(_der(key)),
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "validFor": period,
    }
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": public,
        "logId": {"keyId": _b64(_log_id(key))},
    }


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_der(key)).digest()


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _pem(cert: x509.Certificate) -> str:
    return _b64(cert.public_bytes(Encoding.PEM))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _time(moment: datetime.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
