"""Who lives in the simulated world: households, the truth about each person, and what the sites make of it."""
