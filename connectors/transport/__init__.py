"""How bytes travel: listeners that are given a responder, and clients; none of them knows what the bytes say."""
