"""HL7 v2 in and out: messages become canonical FHIR R4, and each gets its answer."""
