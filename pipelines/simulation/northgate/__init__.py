"""Northgate, the group's new location: it sends no messages but runs on the core itself, so its month is a script.

The script says in plain intentions what people there mean to do; whoever has the core does it. What is true afterwards
stands beside it.
"""
