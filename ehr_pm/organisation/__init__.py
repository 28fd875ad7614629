"""How the group is run: its organizations, locations with hours and rooms, departments, and who pays."""
