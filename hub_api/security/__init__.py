"""Who may pass: one guard before every route, one function that decides."""
