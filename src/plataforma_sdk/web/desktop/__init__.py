"""The desktop: modules in windows, live in a browser."""

__all__: list[str] = []
