"""The hub's parts that need no database."""
