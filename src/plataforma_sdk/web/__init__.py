"""What is reached by a browser or over HTTP: charts as pictures, in `web.charts`, and the registry
service, in `web.registry`.
"""

__all__: list[str] = []
