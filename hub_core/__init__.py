"""The floor every room stands on: settings, database, messages, audit, and the canonical FHIR library."""
