"""The border: every format is read into canonical FHIR and written back from it, purely, without database or clock."""
