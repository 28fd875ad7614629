"""Compiles SQL-on-FHIR ViewDefinitions to DuckDB SQL and makes tables of them."""
