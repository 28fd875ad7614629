"""The embedded PostgreSQL: started when first needed, shared by every process, stopped when nobody uses it."""
