"""Payers that answer here: the port through which eligibility is asked, and the payer in the house that answers."""
