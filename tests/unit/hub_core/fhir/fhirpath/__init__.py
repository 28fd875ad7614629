"""Tests of FHIRPath: reading, evaluating, and what others make of the same paths."""
