"""The FHIR API as its clients find it, over one hub for each file."""
