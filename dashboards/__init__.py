"""What a group's managers and clinicians see: numbers from the published warehouse, charts live through the API."""
