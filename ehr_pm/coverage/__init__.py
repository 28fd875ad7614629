"""Coverages of patients, ranked and dated, and asking payers whether they hold (a port; a local simulator answers)."""
