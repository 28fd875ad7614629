"""A medical group that never was: its people, their care and money, the feeds of its systems, and the truth of it all.

It imports nothing of Wholechart and writes HL7, FHIR and X12 by its own plain writers, so that a mistake of ours cannot
be made on both sides. The same seed gives the same bytes.
"""
