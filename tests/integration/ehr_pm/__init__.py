"""The practice core against a real PostgreSQL."""
