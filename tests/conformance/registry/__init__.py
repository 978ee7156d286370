"""`RegistryBackend` made executable: one list of expectations, the same for every backend."""
