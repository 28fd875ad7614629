"""Bare programs that do the least a competent hand would write for the same job: what the rest of us is measured by."""
