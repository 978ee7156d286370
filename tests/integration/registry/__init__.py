"""The expectations of a registry backend, on real stores."""
