"""Tokens and cookies, as time goes by."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from starlette.requests import HTTPConnection

from plataforma_sdk.web.desktop._access import COOKIE_S, TOKEN_S, Access, Identity


@attrs.define
class Watch:
    at: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def access(watch: Watch) -> Access:
    return Access(secret=bytes(32), allowed_hosts=["localhost"], authenticate=None, now=watch)


def connection(access: Access, cookie: str) -> HTTPConnection:
    header = f"{access.cookie_name}={cookie}".encode()
    return HTTPConnection({"type": "http", "headers": [(b"cookie", header)]})


def test_a_token_is_good_for_ten_minutes(access: Access, watch: Watch) -> None:
    late, in_time = access.new_token("ana"), access.new_token("ana")
    watch.at += TOKEN_S - 1
    entered = access.use_token(in_time)
    watch.at += 1

    assert entered is not None
    assert (entered.subject, entered.is_new) == ("ana", True)
    assert access.use_token(late) is None


def test_tokens_that_nobody_uses_do_not_pile_up(access: Access) -> None:
    first = access.new_token("ana")
    tokens = [access.new_token("ana") for _ in range(64)]

    assert access.use_token(first) is None
    assert all(access.use_token(token) for token in tokens)


def test_a_cookie_is_good_for_thirty_days(run: Any, access: Access, watch: Watch) -> None:
    written = access.cookie(Identity(subject="João <joao@loja.example>", browser="b1"))
    watch.at += COOKIE_S
    in_time = run(access.identify(connection(access, written)))
    watch.at += 1

    assert in_time == Identity(subject="João <joao@loja.example>", browser="b1")
    assert run(access.identify(connection(access, written))) is None


def test_another_secret_knows_neither_cookie_nor_page(run: Any, access: Access, watch: Watch) -> None:
    identity = Identity(subject="ana", browser="b1")
    other = Access(secret=bytes(31) + b"1", allowed_hosts=["localhost"], authenticate=None, now=watch)

    assert run(other.identify(connection(other, access.cookie(identity)))) is None
    assert not other.is_page_token(access.page_token(identity), identity)
    assert other.mark() != access.mark()
