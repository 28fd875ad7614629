"""Where messages come in: over HTTP and over MLLP, stored before they are acknowledged."""
