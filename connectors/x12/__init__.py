"""X12 healthcare EDI (HIPAA 005010): claims and remittances in, canonical FHIR R4 out."""
