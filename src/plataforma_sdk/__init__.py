"""Run Python modules that you do not have to trust."""
