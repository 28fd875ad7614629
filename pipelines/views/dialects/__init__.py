"""The SQL dialects views are compiled to: what each says in its own way, behind one interface."""
