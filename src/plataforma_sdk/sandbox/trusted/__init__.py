"""Plain CPython in the host: no boundary, for the host's own modules and for unit tests."""

from plataforma_sdk.sandbox.trusted._engine import TrustedEngine, TrustedInstance

__all__ = ["TrustedEngine", "TrustedInstance"]
