"""HL7 v2 in and out: bytes are cut into messages, messages become canonical FHIR R4, and every message gets its answer."""
