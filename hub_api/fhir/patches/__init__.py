"""Patches: changes to parts of a resource, in the forms in which they are sent."""
