"""Passing a namespace on to another key: signed by the old key, which decides, and the new one, which can sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import attrs

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry.trust._envelope import MAX_ENVELOPE_BYTES, open_envelope, seal_envelope
from plataforma_sdk.registry.trust._keys import SigningKey, check_fingerprint

__all__ = ["MAX_ROTATIONS_BYTES", "ROTATIONS", "Rotation", "leads", "read_rotations", "rotate"]

ROTATIONS: Final = "rotations"
"""Name of the attachment that holds them, oldest first."""
MAX_ROTATIONS_BYTES: Final = 1 << 20

_PAYLOAD_TYPE: Final = "application/vnd.plataforma.rotation.v1+json"
_MAX_ROTATIONS: Final = 32


@attrs.frozen(kw_only=True)
class Rotation:
    """One step from a key to the next, its signatures verified.

    Attributes:
        namespace: whose: ``"acme"`` of ``"acme/vendas"``, or the id without a namespace.
        old: fingerprint of the key that passes it on.
        new: of the one that has it from now on.
        number: 1 for the namespace's first, and one more each time: an old one cannot be played again.
    """

    namespace: str
    old: str
    new: str
    number: int


def rotate(old: SigningKey, new: SigningKey, *, namespace: str, earlier: bytes | None = None) -> bytes:
    """Pass a namespace on, and return the attachment: the earlier rotations and this one.

    Raises:
        IntegrityError: the earlier ones do not lead to the old key.
    """
    envelopes = [] if earlier is None else _envelopes(earlier)
    known = [] if earlier is None else read_rotations(earlier, namespace=namespace)
    if known and known[-1].new != old.fingerprint:
        raise IntegrityError(f"{namespace} was passed on to {known[-1].new}, and not to {old.fingerprint}")
    if old.fingerprint == new.fingerprint:
        raise IntegrityError(f"{namespace}: the new key is the old one, {old.fingerprint}")
    data = {"namespace": namespace, "old": old.fingerprint, "new": new.fingerprint, "number": len(known) + 1}
    return to_json([*envelopes, seal_envelope(_PAYLOAD_TYPE, data, [old, new]).decode()])


def read_rotations(text: bytes, *, namespace: str) -> Sequence[Rotation]:
    """Verify a chain: each step is signed by both its keys, begins where the last ended, and is counted.

    Raises:
        IntegrityError: anything else.
        RegistryError: the extra is missing.
    """
    chain: list[Rotation] = []
    for envelope in _envelopes(text):
        step = _read(envelope.encode(), namespace)
        if step.number != len(chain) + 1 or (chain and chain[-1].new != step.old):
            raise IntegrityError(f"The rotations of {namespace} are no chain: step {len(chain) + 1} is missing")
        chain.append(step)
    return chain


def _envelopes(text: bytes) -> list[str]:
    if len(text) > _MAX_ROTATIONS * MAX_ENVELOPE_BYTES:
        raise IntegrityError(f"Rotations of {len(text):,} bytes are not read")
    found = from_json(text, what="the rotations")
    if not isinstance(found, list) or len(found) > _MAX_ROTATIONS or not all(isinstance(one, str) for one in found):
        raise IntegrityError(f"The rotations are no list of at most {_MAX_ROTATIONS} envelopes")
    return found


def _read(envelope: bytes, namespace: str) -> Rotation:
    what = f"a rotation of {namespace}"
    data, signers = open_envelope(envelope, payload_type=_PAYLOAD_TYPE, what=what)
    step = _step(data, what)
    if step.namespace != namespace:
        raise IntegrityError(f"{what} is about {step.namespace[:80]!r}")
    if step.old == step.new or signers != {step.old, step.new}:
        raise IntegrityError(f"{what} from {step.old} to {step.new} is not signed by both of them, and by nobody else")
    return step


def _step(data: Any, what: str) -> Rotation:
    if data.keys() != {"namespace", "old", "new", "number"} or type(data["number"]) is not int:
        raise IntegrityError(f"{what} is damaged: it has other fields than namespace, old, new and number")
    old, new = check_fingerprint(data["old"]), check_fingerprint(data["new"])
    return Rotation(namespace=str(data["namespace"]), old=old, new=new, number=data["number"])


def leads(chain: Sequence[Rotation], key: str, after: int, revoked: Collection[str] = ()) -> bool:
    """Tell whether a chain leads on from the key that a client knows.

    Args:
        chain: verified, oldest first.
        key: the key that is known.
        after: number of the last step that was taken: earlier ones are not taken again.
        revoked: keys whose word counts for nothing: nobody is led on by them.
    """
    rest = [step for step in chain if step.number > after]
    while rest and rest[0].old != key:
        rest.pop(0)
    return bool(rest) and not any(step.old in revoked for step in rest)
