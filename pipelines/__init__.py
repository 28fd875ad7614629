"""Everything that runs in the background: messages into the record, the record into the warehouse."""
