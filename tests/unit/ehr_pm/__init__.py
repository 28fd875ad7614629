"""Tests of the system of record that need no database."""
