"""HL7 v2.5.1 messages of the simulated systems."""
