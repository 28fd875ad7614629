"""One file per step of the schema, run in order."""
