"""The pages of those who work in the practice: the day, patients, booking, check-in, people and the audit trail."""
