"""Everything that answers: FHIR, ingest, the practice API, and the log-in."""
