"""Tests of the X12 connector."""
