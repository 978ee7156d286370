"""Whose a topic is."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import PermissionDeniedError, PlataformaError
from plataforma_sdk.events import may_receive, module_topic, topic_owner
from plataforma_sdk.types import Event


@pytest.mark.parametrize(
    ("module", "topic", "expected"),
    [
        ("vendas", "saved", "module.vendas.saved"),
        ("vendas", "cliente.saved", "module.vendas.cliente.saved"),
        ("vendas", "module.vendas.saved", "module.vendas.saved"),
        ("acme/vendas", "saved", "module.acme--vendas.saved"),
        ("vendas", "data.vendas.updated", "module.vendas.data.vendas.updated"),
    ],
)
def test_a_module_emits_in_its_own_namespace(module: str, topic: str, expected: str) -> None:
    assert module_topic(module, topic) == expected


@pytest.mark.parametrize(
    "topic",
    [
        "module.estoque.saved",
        "module.vendas",
        "module.vendas-2.saved",
        "module.acme--vendas.x",
        "plataforma.module.error",
    ],
)
def test_a_topic_of_somebody_else_is_denied(topic: str) -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        module_topic("vendas", topic)
    assert f"events.emit[{topic}]" == caught.value.permission
    assert "module.vendas.saved" in caught.value.message


def test_a_name_that_grows_too_long_is_refused() -> None:
    with pytest.raises(PlataformaError, match="longer than 256"):
        module_topic("vendas", "a" * 250)


@pytest.mark.parametrize(
    ("topic", "owner"),
    [
        ("module.vendas.saved", "vendas"),
        ("module.acme--vendas.a.b", "acme--vendas"),
        ("module.vendas", None),
        ("module", None),
        ("data.vendas.updated", None),
        ("plataforma.module.error", None),
    ],
)
def test_owner_of_a_topic(topic: str, owner: str | None) -> None:
    assert topic_owner(topic) == owner


@pytest.mark.parametrize(
    ("topic", "data", "expected"),
    [
        ("data.x", None, True),
        ("module.estoque.saved", None, True),
        ("plataforma.module.error", {"module": "vendas"}, True),
        ("plataforma.module.error", {"module": "estoque"}, False),
        ("plataforma.module.error", {}, False),
        ("plataforma.started", None, False),
        ("plataforma", "vendas", False),
        ("plataformas.x", None, True),
    ],
)
def test_a_module_hears_of_the_platform_only_what_is_about_itself(topic: str, data: object, expected: bool) -> None:
    assert may_receive("vendas", Event(topic, data)) is expected
