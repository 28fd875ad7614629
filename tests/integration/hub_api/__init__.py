"""The hub over real HTTP, on a real database."""
