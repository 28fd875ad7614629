"""FHIRPath over FHIR R4: one parser and one evaluator for the search index, the views and the validator."""
