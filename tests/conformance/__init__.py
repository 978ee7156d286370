"""`semantics.md` made executable: one list of modules with expectations, run in every tier."""
