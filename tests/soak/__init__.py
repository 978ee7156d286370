"""Long runs that look for leaks; by name only, ``nox -s soak``."""
