"""The schedule: weekly rules in local time, openings, appointments that cannot collide, series, waitlist, reminders."""
