"""The demonstration: a simulated medical group through the whole house, and its truth beside the warehouse."""
