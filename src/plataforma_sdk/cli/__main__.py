"""``python -m plataforma_sdk.cli``, where the script ``plataforma`` is not on the path."""

from plataforma_sdk.cli import main

main()
