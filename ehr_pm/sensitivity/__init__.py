"""What people here say is sensitive: tags on a patient's records, put on and taken off with a reason."""
