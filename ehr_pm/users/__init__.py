"""Who works here and what they may do: staff, roles by place and time, care teams, broken glass, portals, programs."""
