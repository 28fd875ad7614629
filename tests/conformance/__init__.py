"""Suites that others wrote, run as they are."""
