"""The search language of the record: what can be asked, and the SQL it becomes."""
