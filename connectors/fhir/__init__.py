"""FHIR R4 JSON: Bundles, single resources and NDJSON, in as they are sent and stored as they are meant."""
