"""The demonstration: sample feeds of a fictional medical group, sent through a running house as its systems would."""
