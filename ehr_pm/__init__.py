"""The system of record: the versioned FHIR store, who is who, and the practice's own concepts."""
