"""The nightly FHIR export of the simulated cardiology."""
