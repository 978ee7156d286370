"""What a permission lets a module do, in a sentence for the person who is asked, in that person's language.

For authors, who want scopes, calls and the line to write, there is ``plataforma explain``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions import PERMISSIONS, Permission, clean_text, is_within, parse_permission

__all__ = ["LOCALES", "sentence_of"]

_SERVICE: Final = "api."
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_READ, _USE, _UNKNOWN, _AND = "read a service", "use a service", "unknown", "and"

_Sentences = Mapping[str, tuple[str, str]]
"""Name -> the sentence for all of it, and for some scopes of it."""

_ENGLISH: Final[_Sentences] = {
    PERMISSIONS.DATABASE_READ: ("Read the application's database", "Read {scopes} in the application's database"),
    PERMISSIONS.DATABASE_WRITE: (
        "Change what is in the application's database",
        "Change {scopes} in the application's database",
    ),
    PERMISSIONS.API_EXTERNAL: (
        "Exchange data with any server on the internet",
        "Exchange data with {scopes} on the internet",
    ),
    PERMISSIONS.API_INTERNAL: (
        "Use every service of the application",
        "Use every service of the application by {scopes}",
    ),
    PERMISSIONS.WINDOW_CREATE: ("Open windows", "Open windows: {scopes}"),
    PERMISSIONS.WINDOW_MODAL: (
        "Open windows that you must close before you go on",
        "Open windows that you must close before you go on: {scopes}",
    ),
    PERMISSIONS.NOTIFICATIONS: ("Show you notifications", "Show you notifications: {scopes}"),
    PERMISSIONS.STORAGE: ("Keep data of its own between runs", "Keep data of its own between runs: {scopes}"),
    PERMISSIONS.CLIPBOARD: (
        "Read what you have copied, and replace it",
        "Read what you have copied, and replace it: {scopes}",
    ),
    PERMISSIONS.EVENTS_EMIT: (
        "Tell other modules what happens in it, and ask them",
        "Tell other modules what happens in it: {scopes}",
    ),
    PERMISSIONS.EVENTS_SUBSCRIBE: (
        "Learn of everything that happens in the application and in other modules",
        "Learn when these things happen: {scopes}",
    ),
    _READ: ("", "Read from the application's service {service}"),
    _USE: (
        "Read from the application's service {service}, and change what is there",
        "Use the application's service {service} by {scopes}",
    ),
    _UNKNOWN: ("Use {service}, which an extension of this application defines",) * 2,
    _AND: ("; ", "; "),
}

_PORTUGUESE: Final[_Sentences] = {
    PERMISSIONS.DATABASE_READ: ("Ler o banco de dados da aplicação", "Ler {scopes} no banco de dados da aplicação"),
    PERMISSIONS.DATABASE_WRITE: (
        "Alterar o que está no banco de dados da aplicação",
        "Alterar {scopes} no banco de dados da aplicação",
    ),
    PERMISSIONS.API_EXTERNAL: (
        "Trocar dados com qualquer servidor da internet",
        "Trocar dados com {scopes} na internet",
    ),
    PERMISSIONS.API_INTERNAL: (
        "Usar todos os serviços da aplicação",
        "Usar todos os serviços da aplicação por {scopes}",
    ),
    PERMISSIONS.WINDOW_CREATE: ("Abrir janelas", "Abrir janelas: {scopes}"),
    PERMISSIONS.WINDOW_MODAL: (
        "Abrir janelas que você precisa fechar para continuar",
        "Abrir janelas que você precisa fechar para continuar: {scopes}",
    ),
    PERMISSIONS.NOTIFICATIONS: ("Mostrar notificações a você", "Mostrar notificações a você: {scopes}"),
    PERMISSIONS.STORAGE: ("Guardar dados próprios de um dia para o outro", "Guardar dados próprios: {scopes}"),
    PERMISSIONS.CLIPBOARD: ("Ler o que você copiou e substituí-lo", "Ler o que você copiou e substituí-lo: {scopes}"),
    PERMISSIONS.EVENTS_EMIT: (
        "Avisar outros módulos do que acontece nele e consultá-los",
        "Avisar outros módulos do que acontece nele: {scopes}",
    ),
    PERMISSIONS.EVENTS_SUBSCRIBE: (
        "Saber de tudo o que acontece na aplicação e em outros módulos",
        "Saber quando estas coisas acontecem: {scopes}",
    ),
    _READ: ("", "Ler do serviço {service} da aplicação"),
    _USE: (
        "Ler do serviço {service} da aplicação e alterar o que há nele",
        "Usar o serviço {service} da aplicação por {scopes}",
    ),
    _UNKNOWN: ("Usar {service}, que uma extensão desta aplicação define",) * 2,
    _AND: ("; ", "; "),
}

_LANGUAGES: Final[Mapping[str, _Sentences]] = {"en": _ENGLISH, "pt": _PORTUGUESE}
LOCALES: Final = ("en", "pt-BR")
"""The languages that sentences are written in."""


def sentence_of(permission: str, locale: str = "en") -> str:
    """Say what a permission lets a module do; English where the language is not known.

    >>> sentence_of("database.read[Customer,Invoice]")
    "Read Customer, Invoice in the application's database"
    >>> sentence_of("api.vendas[GET]", "pt-BR")
    'Ler do serviço “vendas” da aplicação'
    """
    sentences = _LANGUAGES.get(locale.partition("-")[0].lower(), _ENGLISH)
    try:
        parsed = parse_permission(permission)
    except InvalidPermissionError:
        return _filled(sentences, _UNKNOWN, clean_text(permission))
    if parsed.name in sentences:
        return _filled(sentences, parsed.name, "", parsed)
    covered = [name for name in PERMISSIONS if is_within([name], [parsed.name])]
    if covered:
        return sentences[_AND][0].join(_filled(sentences, name, "", parsed) for name in covered)
    service = parsed.name.removeprefix(_SERVICE)
    if service == parsed.name or "." in service or "*" in service:
        return _filled(sentences, _UNKNOWN, str(parsed))
    is_reading = parsed.scopes is not None and set(parsed.scopes) <= _READING
    return _filled(sentences, _READ if is_reading else _USE, service, parsed)


def _filled(sentences: _Sentences, name: str, service: str, permission: Permission | None = None) -> str:
    scopes = () if permission is None else permission.scopes or ()
    whole, scoped = sentences[name]
    return (scoped if scopes else whole).format(service=f"“{service}”", scopes=", ".join(scopes))
