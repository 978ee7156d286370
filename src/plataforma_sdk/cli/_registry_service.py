"""``plataforma registry`` as typer sees it: the service, and its tokens; what they do is imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plataforma_sdk.cli._registry_options import AsJson, DatabaseUrl, Of
from plataforma_sdk.cli._registry_tuf import tuf_app

__all__ = ["registry_app", "token_app"]

registry_app = typer.Typer(no_args_is_help=True, help="Serve a registry, say who may write to it, and clean up.")
token_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens of a registry service.")
registry_app.add_typer(token_app, name="token")
registry_app.add_typer(tuf_app, name="tuf")

Directory = Annotated[
    Path,
    typer.Argument(file_okay=False, help="The registry's directory; made where it is missing.", show_default=False),
]


@registry_app.command("serve")
def serve_command(  # noqa: PLR0917 - typer reads the options from the signature
    directory: Directory = Path("registry"),
    host: Annotated[str, typer.Option(help="Address to listen on; the default is reached from this machine alone.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = 8433,
    database: DatabaseUrl = None,
    blobs: Annotated[
        str | None, typer.Option(help="Keep the blobs in an object store: s3://bucket/prefix, gs:// or az://.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Ask for a token for reading too.")] = False,
    max_blob_mib: Annotated[int, typer.Option(min=1, max=1024, help="Refuse uploads of more MiB than this.")] = 256,
    max_rate: Annotated[float, typer.Option(min=0, help="Requests a second of one client; 0 sets no limit.")] = 50.0,
    certificate: Annotated[Path | None, typer.Option(exists=True, help="TLS certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(exists=True, help="Private key of the certificate, PEM.")] = None,
    grace: Annotated[int, typer.Option(min=0, help="Seconds that uploads have to end, once it is stopped.")] = 30,
) -> None:
    """Serve a registry over HTTP until Ctrl-C or SIGTERM; logs are JSON lines on standard error.

    Exit codes: 0 stopped; 1 the directory, the database, the blobs or the port cannot be used; 2 wrong use.
    """
    if (certificate is None) != (key is None):
        raise typer.BadParameter("a certificate needs its key, and a key its certificate", param_hint="--certificate")

    from plataforma_sdk.cli._registry_serve import start
    from plataforma_sdk.web.registry import ServiceOptions

    options = ServiceOptions(
        directory=directory,
        database=database,
        blobs=blobs,
        is_private=private,
        max_blob_bytes=max_blob_mib << 20,
        max_requests_per_s=max_rate,
    )
    start(options, host=host, port=port, certificate=certificate, key=key, grace_s=grace)


@registry_app.command("sweep")
def sweep_command(
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The registry's directory.", show_default=False)
    ] = Path("registry"),
    database: DatabaseUrl = None,
    grace: Annotated[
        float, typer.Option(min=0, help="Hours that a blob is left, which may be about to be published.")
    ] = 24.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove blobs that no release names, of publishes that were cut off or refused; a service may run meanwhile.

    Exit codes: 0 done; 1 the directory or the database cannot be used, or an index is damaged; 2 wrong use.
    """
    from plataforma_sdk.cli._registry_sweep import sweep

    sweep(directory, database, grace_s=grace * 3_600, dry_run=dry_run, as_json=as_json)


@token_app.command("create")
def create_command(  # noqa: PLR0917 - typer reads the options from the signature
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    allow: Annotated[
        list[str],
        typer.Option(
            help="'publish', 'yank' or 'read'; 'publish:vendas' or 'publish:acme/*' of some. May be repeated."
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(help="Fingerprint of a key that its holder may claim a namespace with. May be repeated."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="It expires after so many days; never, if left out.")] = None,
    directory: Of = Path("registry"),
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it: this once, since only its digest is kept. A service that runs knows it at once.

    Exit codes: 0 done; 1 the directory or the database cannot be used; 2 wrong use.
    """
    from plataforma_sdk.cli._registry_tokens import create

    create((directory, database), name, allow, keys=key or (), days=days, as_json=as_json)


@token_app.command("list")
def list_command(directory: Of = Path("registry"), database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets.

    Exit codes: 0 done; 1 the directory or the database cannot be used.
    """
    from plataforma_sdk.cli._registry_tokens import show

    show((directory, database), as_json=as_json)


@token_app.command("revoke")
def revoke_command(
    token: Annotated[str, typer.Argument(help="Its id, as 'list' shows it.")],
    directory: Of = Path("registry"),
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a token worth nothing, from the next request on.

    Exit codes: 0 done; 1 there is no such token, or the directory or the database cannot be used.
    """
    from plataforma_sdk.cli._registry_tokens import revoke

    revoke((directory, database), token, as_json=as_json)
