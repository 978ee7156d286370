"""What is reached by a browser or over HTTP: the registry service, in `web.registry`, and charts, in `web.charts`."""

__all__: list[str] = []
