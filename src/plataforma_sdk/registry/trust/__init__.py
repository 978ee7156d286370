"""Whom a module comes from: publisher keys, signed attestations, and the keys that a client holds modules to.

A registry is not believed. What it says of a release counts only as far as the publisher signed it, and a module that
was first seen with one key is not taken with another unless the first one signed that.
"""

from plataforma_sdk.registry.trust._attestation import ATTESTATION, Attestation, attest, read_attestation
from plataforma_sdk.registry.trust._bundle import BUNDLE, BUNDLE_TYPE, Identity, read_bundle
from plataforma_sdk.registry.trust._freshness import Freshness, MetadataSource, target_of
from plataforma_sdk.registry.trust._keys import SigningKey, check_fingerprint
from plataforma_sdk.registry.trust._pins import Pin, PinStore
from plataforma_sdk.registry.trust._policy import TrustPolicy
from plataforma_sdk.registry.trust._rotation import ROTATIONS, Rotation, read_rotations, rotate
from plataforma_sdk.registry.trust._store import KeyStore, KnownKey
from plataforma_sdk.registry.trust._trust import Trust, Verdict
from plataforma_sdk.registry.trust._watched import WatchedSource

__all__ = [
    "ATTESTATION",
    "BUNDLE",
    "BUNDLE_TYPE",
    "ROTATIONS",
    "Attestation",
    "Freshness",
    "Identity",
    "KeyStore",
    "KnownKey",
    "MetadataSource",
    "Pin",
    "PinStore",
    "Rotation",
    "SigningKey",
    "Trust",
    "TrustPolicy",
    "Verdict",
    "WatchedSource",
    "attest",
    "check_fingerprint",
    "read_attestation",
    "read_bundle",
    "read_rotations",
    "rotate",
    "target_of",
]
