"""The FHIR R4 server: stored bytes out, never parsed on the way."""
