"""Who is who: persons, the patient records that belong to them, and how they came to be known as one."""
