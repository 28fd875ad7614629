"""Three years of care: who falls ill of what, when they come, what is found, given and prescribed."""
