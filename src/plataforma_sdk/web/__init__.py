"""What is reached by a browser or over HTTP: the registry service, in `web.registry`."""

__all__: list[str] = []
