"""The message store: what arrived, kept byte for byte before anybody is told so, and what became of it."""
