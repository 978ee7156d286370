"""Keys are found by their shapes; place-holders are not keys."""

from __future__ import annotations

import asyncio

import pytest

# Put together here, so that no scanner of this repository takes them for real ones.
KEYS = [
    "AKIA" + "Q3RTZ8VKPL2MXWN9",
    "ghp_" + "q3RtZ8vKpL2mXwN9yB4cJ7dF6hG1sEoUiYwA",
    "glpat-" + "q3RtZ8vKpL2mXwN9yB4c",
    "xoxb-" + "9182736450-q3RtZ8vKpL2mXwN9",
    "sk_live_" + "q3RtZ8vKpL2mXwN9yB4cJ7dF",
    "sk-ant-" + "q3RtZ8vKpL2mXwN9yB4cJ7dF",
    "AIza" + "q3RtZ8vKpL2mXwN9yB4cJ7dF6hG1sEoUiYw",
    "npm_" + "q3RtZ8vKpL2mXwN9yB4cJ7dF6hG1sEoUiYwA",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "postgresql://vendas:" + "Tr0ub4dor9x@db.interno.invalid/x",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:8])
def test_a_key_is_found_and_not_repeated(scan, key):
    """CWE-798. The report itself is published: it shows the beginning alone."""
    result = asyncio.run(scan(f"x = {key!r}"))
    (found,) = [issue for issue in result.issues if issue.rule == "secret-in-source"]
    assert found.line == 2
    assert key not in found.message
    assert not result.passed


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "postgresql://user:password@localhost/x",
        "ghp_short",
        "-----BEGIN PUBLIC KEY-----",
        "sk-",
    ],
)
def test_a_place_holder_is_no_key(scan, text):
    assert asyncio.run(scan(f"x = {text!r}")).passed


def test_a_long_text_of_high_entropy_is_remarked_on(scan):
    import base64
    import hashlib

    packed = base64.b64encode(b"".join(hashlib.sha256(bytes([n])).digest() for n in range(20))).decode()
    assert "packed-data" in {issue.rule for issue in asyncio.run(scan(f"x = {packed!r}")).issues}
    assert "packed-data" not in {issue.rule for issue in asyncio.run(scan(f"x = {'ab' * 400!r}")).issues}
