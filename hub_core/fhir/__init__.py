"""Canonical FHIR R4: how resources are written, identified, referenced and indexed in this house."""
